# Tokens: fetched, kept, fetched again when they end; and what is said when
# Xero does not give one or does not accept it.
use strict;
use warnings;

use HTTP::Tiny;
use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--no-limits', '--tenants', 2 ],
	server => { client_id => 'sandbox-client', grant_type => 'client_credentials' },
	mapping => { client_secret => 'sandbox-secret' });
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my @tenants = map { $_->{tenantId} } @{ JSON::PP::decode_json(HTTP::Tiny->new->get(
	$sandbox->url . '/connections', { headers => { Authorization => 'Bearer sandbox-token' } })->{content}) };
is(scalar @tenants, 2, 'two organisations');

my $query = 'SELECT count(account_id), min(name) FROM xero.accounts';
my $list = '/api.xro/2.0/Accounts';
my $session = XeroSession->new($node);

my $result;
foreach my $id ('x', '', '12345678123412341234123456789abc')
{
	$sandbox->faults({ path => '/connections', status => 200, body => "[{\"tenantId\": \"$id\", \"tenantType\": \"ORGANISATION\"}]" });
	$result = $session->try('SELECT count(*) FROM xero.accounts');
	is($result->{state}, 'HV00L', "tenantId \"$id\": SQLSTATE");
	like($result->{text}, qr/could not read the list of organisations that server "xero" is connected to\nDETAIL:  The tenantId of connection 1 is not a uuid\./, 'message');
}
$sandbox->faults;
is($session->rows('SELECT count(DISTINCT tenant_id) FROM xero.accounts'), 2, 'both, where none is named');
$session->rows("ALTER SERVER xero OPTIONS (ADD tenant_id '$tenants[0]')");
my $rows = $session->rows($query);
like($rows, qr/^\d\d\|/, 'rows');

# The calls since a mark, as "token" and "list", with status.
sub trace
{
	my ($mark) = @_;
	return join(' ', map { ($_->{path} eq '/connect/token' ? 'token' : 'list') . " $_->{status}" } $sandbox->log($mark));
}

sub suffers
{
	my ($name, $state, $trace, @text) = @_;
	my $mark = $sandbox->mark;
	$result = $session->try($query);
	is($result->{state}, $state, "$name: SQLSTATE") or diag($result->{text});
	is(trace($mark), $trace, "$name: calls") if defined $trace;
	is($result->{rows}, $rows, "$name: rows") if $state eq '00000';
	like($result->{text}, $_, "$name: message") foreach @text;
	return;
}

# ---- the life of a token ----

suffers('kept', '00000', 'list 200');
$sandbox->clock(1700);
suffers('kept to the last minutes', '00000', 'list 200');
$sandbox->clock(101);
suffers('ended', '00000', 'list 401 token 200 list 200');
suffers('the new one is kept', '00000', 'list 200');
$sandbox->clock(1801);
is($session->rows('SELECT count(*) FROM xero.accounts a JOIN xero.accounts b USING (account_id)'), (split /\|/, $rows)[0], 'ended before a join');
$sandbox->faults({ path => $list, status => 401, times => 1,
	body => '{"Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired: token expired at 01/01/2020 00:00:00"}' });
suffers('said to have ended', '00000', 'list 401 token 200 list 200');
$sandbox->faults({ path => $list, status => 401,
	body => '{"Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired: token expired at 01/01/2020 00:00:00"}' });
suffers('said to have ended for ever', '28000', 'list 401 token 200 list 401',
	qr/access token of server "xero" has expired\nDETAIL:  .*TokenExpired.*\nHINT:  Check client_id, client_secret and scopes\./);
$sandbox->faults({ path => $list, status => 401, times => 1,
	body => '{"Title": "Unauthorized", "Status": 401, "Detail": "AuthenticationUnsuccessful"}' });
suffers('rejected', '28000', 'token 200 list 401', qr/Xero rejected the access token of server "xero"\nDETAIL:  .*AuthenticationUnsuccessful.*\nHINT:/);
suffers('a rejected token is not used again', '00000', 'token 200 list 200');

# ---- the token endpoint misbehaves ----

sub anew { $session->quit; $session = XeroSession->new($node); return; }

foreach my $case (
	[ 'fails once', { status => 503, times => 1 }, '00000', 'token 503 token 200 list 200' ],
	[ 'is cut short once', { truncate => 20, times => 1 }, '00000', undef ],
	[ 'answers HTML once', { status => 200, headers => { 'Content-Type' => 'text/html' }, body => '<html>', times => 1 }, '00000', 'token 200 token 200 list 200' ],
	[ 'is limited', { status => 429, times => 1, headers => { 'Retry-After' => 1 } }, '00000', 'token 429 token 200 list 200' ],
	[ 'fails for ever', { status => 500 }, 'HV00L', join(' ', ('token 500') x 5), qr/Xero failed to carry out a request of server "xero"\nDETAIL:  POST \/connect\/token: HTTP status 500/ ],
	[ 'answers HTML', { status => 200, headers => { 'Content-Type' => 'text/html' }, body => '<html>' }, 'HV00L', join(' ', ('token 200') x 3), qr/is not JSON\nDETAIL:  POST \/connect\/token/ ],
	[ 'answers without a token', { status => 200, body => '{"token_type": "Bearer", "expires_in": 1800}' }, 'HV00L', 'token 200', qr/unexpected answer from Xero/ ],
	[ 'answers an empty token', { status => 200, body => '{"access_token": "", "expires_in": 1800}' }, 'HV00L', 'token 200', qr/unexpected answer from Xero/ ],
	[ 'answers a number', { status => 200, body => '{"access_token": 1, "expires_in": 1800}' }, 'HV00L', 'token 200', qr/unexpected answer from Xero/ ],
	[ 'answers a token that smuggles a header', { status => 200, body => '{"access_token": "a\r\nX-Evil: 1", "expires_in": 1800}' }, 'HV00L', 'token 200', qr/unexpected answer from Xero/ ],
	[ 'answers a token as text', { status => 200, headers => { 'Content-Type' => 'text/plain' }, body => '{"access_token": "hushhush", "expires_in": 1800}' },
		'HV00L', join(' ', ('token 200') x 3), qr/is not JSON\nDETAIL:  POST \/connect\/token: HTTP status 200, correlation id \S+\.\n/ ],
	[ 'fails with a token in its words', { status => 500, body => '{"Title": "hushhush", "Detail": "hushhush", "Message": "hushhush", "Type": "hushhush"}' },
		'HV00L', join(' ', ('token 500') x 5), qr/DETAIL:  POST \/connect\/token: HTTP status 500, correlation id \S+\.\n/ ],
	[ 'refuses with a word of its own', { status => 400, body => '{"error": "hushhush", "error_description": "hushhush"}' },
		'28000', 'token 400', qr/Xero refused an access token to server "xero"\nDETAIL:  HTTP status 400, correlation id \S+\.\n/ ],
	[ 'redirects', { status => 302, headers => { Location => 'https://example.com/' } }, 'HV00L', 'token 302', qr/unexpected answer from Xero/ ],
	[ 'refuses the scope', { status => 400, body => '{"error": "invalid_scope"}' }, '28000', 'token 400', qr/Xero refused an access token to server "xero"\nDETAIL:  HTTP status 400.*, "invalid_scope"\.\nHINT:  Check client_id, client_secret and scopes\./ ],
	[ 'forbids', { status => 403, body => 'no' }, '28000', 'token 403', qr/Xero refused an access token/ ],
	[ 'is not there', { status => 404 }, 'HV00L', 'token 404', qr/Xero has nothing at "\/connect\/token"/ ])
{
	my ($name, $fault, $state, $trace, @text) = @$case;
	anew();
	$sandbox->faults({ path => '/connect/token', %$fault });
	suffers("the token endpoint $name", $state, $trace, @text);
	unlike($result->{text}, qr/hushhush/, "the token endpoint $name: no secret") if $state ne '00000';
	$sandbox->faults;
	$result = $session->try($query);
	is($result->{rows}, $rows, "the token endpoint $name: afterwards");
}
anew();
$session->rows("ALTER SERVER xero OPTIONS (SET identity_url 'http://127.0.0.1:1')");
suffers('the token endpoint is down', '08001', '', qr/could not connect to Xero for server "xero"\nDETAIL:  POST \/connect\/token: /);
$session->rows("ALTER SERVER xero OPTIONS (SET identity_url '" . $sandbox->url . "')");
suffers('the token endpoint is up', '00000', 'token 200 list 200');

# ---- wrong credentials: noticed at once when they change ----

$session->rows("ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (SET client_secret 'wrong')");
suffers('wrong secret', '28000', 'token 401',
	qr/Xero refused an access token to server "xero"\nDETAIL:  HTTP status 401, correlation id \S+, "invalid_client"\.\nHINT:  Check client_id, client_secret and scopes\./);
$session->rows("ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (DROP client_secret)");
suffers('no secret', '28000', '', qr/client_secret is missing for server "xero"\nHINT:  Call xero_fdw\.set_client_secret\(\), or set client_secret_file in the user mapping\./);
$session->rows("ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (ADD client_secret 'sandbox-secret')");
suffers('the right one', '00000', 'token 200 list 200');
$session->rows("ALTER SERVER xero OPTIONS (DROP client_id)");
suffers('no client_id', '28000', '', qr/server "xero" has no client_id\nHINT:  Set the client id of your Xero app/);
$session->rows("ALTER SERVER xero OPTIONS (ADD client_id 'sandbox-client', DROP grant_type)");
suffers('no consent', '28000', '', qr/no consent is stored for server "xero"\nHINT:  /);
$session->rows("ALTER SERVER xero OPTIONS (ADD grant_type 'client_credentials', ADD scopes 'accounting.contacts accounting.attachments')");
suffers('scope missing', '42501', 'token 200 list 401',
	qr/the access token of server "xero" lacks the scope for "$list"\nDETAIL:  .*AuthorizationUnsuccessful.*insufficent_scope\)\nHINT:  Grant the scope/);
$session->rows("ALTER SERVER xero OPTIONS (SET scopes 'accounting.settings.read accounting.contacts.read')");
suffers('scope granted', '00000', 'token 200 list 200');
$session->rows("ALTER SERVER xero OPTIONS (DROP scopes)");
suffers('all scopes', '00000', 'token 200 list 200');

# ---- wrong organisation ----

my $nobody = '12345678-1234-1234-1234-123456789abc';
$session->rows("ALTER SERVER xero OPTIONS (SET tenant_id '$nobody')");
suffers('wrong tenant', '42501', 'token 200 list 403',
	qr/Xero denied server "xero" access to organisation $nobody\nDETAIL:  .*HTTP status 403.*\nHINT:  Check that tenant_id is/);
$session->rows("ALTER SERVER xero OPTIONS (SET tenant_id '$tenants[1]')");
isnt($session->rows('SELECT min(account_id::text) FROM xero.accounts'), '', 'the other organisation');
is($session->rows('SELECT DISTINCT tenant_id FROM xero.accounts'), $tenants[1], 'is the one that was asked for');
$session->rows("ALTER SERVER xero OPTIONS (SET tenant_id '$tenants[0]')");
is($session->rows($query), $rows, 'and the first one again');

# ---- a bearer token in the user mapping is used as it is ----

my $given = JSON::PP::decode_json(HTTP::Tiny->new->post_form($sandbox->url . '/connect/token',
	{ grant_type => 'client_credentials', client_id => 'sandbox-client', client_secret => 'sandbox-secret' })->{content})->{access_token};
$session->rows("ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (DROP client_secret, ADD access_token '$given')");
suffers('access_token', '00000', 'list 200');
$sandbox->clock(1801);
suffers('access_token has ended', '28000', 'list 401',
	qr/the access token of server "xero" has expired\nDETAIL:  .*TokenExpired.*\nHINT:  Set a new access_token in the user mapping\./);
$session->rows("ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (SET access_token 'nonsense')");
suffers('access_token of nobody', '28000', 'list 401', qr/Xero rejected the access token of server "xero"\nDETAIL:  .*\nHINT:  Set a new access_token/);
$session->rows("ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (SET access_token 'sandbox-token')");
suffers('access_token renewed', '00000', 'list 200');

# ---- users without a mapping ----

$session->rows('DROP USER MAPPING FOR PUBLIC SERVER xero; CREATE ROLE alice LOGIN; CREATE ROLE bob LOGIN;
	GRANT USAGE ON SCHEMA xero TO alice, bob; GRANT SELECT ON ALL TABLES IN SCHEMA xero TO alice, bob;
	CREATE USER MAPPING FOR alice SERVER xero OPTIONS (access_token \'sandbox-token\');
	CREATE VIEW xero.seen AS SELECT name FROM xero.accounts; ALTER VIEW xero.seen OWNER TO alice; GRANT SELECT ON xero.seen TO bob');
suffers('no user mapping', '42704', '', qr/user mapping not found for/);
my $alice = XeroSession->new($node, user => 'alice');
is($alice->rows($query), $rows, 'a user reads with her own');
my $bob = XeroSession->new($node, user => 'bob');
is($bob->try($query)->{state}, '42704', 'another has none');
is($bob->rows('SELECT count(lower(name)) FROM xero.seen'), (split /\|/, $rows)[0], 'and reads a view with its owner\'s');

$_->quit foreach $session, $alice, $bob;
done_testing();
