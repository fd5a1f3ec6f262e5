# One organisation is disconnected: that connection ends at Xero, and no other.
use strict;
use warnings;

use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;
use XeroConsent;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--no-limits', '--tenants', 3, '--invoices', 10, '--contacts', 10 ], XeroConsent::options());
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
my $other = XeroSession->new($node);
my $nobody = '00000000-0000-0000-0000-000000000001';
my ($mark, $result);

XeroConsent::connect($session, 'xero');
my ($one, $two, $three) = split /\n/, $session->rows('SELECT tenant_id FROM xero_fdw.connections ORDER BY tenant_name');
my $url = $sandbox->url;
$session->rows("CREATE SERVER legacy FOREIGN DATA WRAPPER xero_fdw OPTIONS (client_id 'sandbox-legacy', api_url '$url', identity_url '$url', login_url '$url');
	CREATE USER MAPPING FOR PUBLIC SERVER legacy OPTIONS (client_secret 'sandbox-secret')");
XeroConsent::connect($session, 'legacy');

sub known { my ($server) = @_; return $session->rows("SELECT string_agg(tenant_id::text || ' ' || state, ', ' ORDER BY tenant_name) FROM xero_fdw.connections WHERE server = '" . ($server // 'xero') . "'") // ''; }
sub calls { return join(' ', map { "$_->{method} $_->{path} $_->{status}" } grep { $_->{path} ne '/connect/token' && $_->{path} !~ /well-known/ } $sandbox->log($mark)); }
sub refused
{
	my ($name, $call, $sqlstate, $text, $calls) = @_;
	my $before = known();
	$mark = $sandbox->mark;
	$result = $session->try("SELECT xero_fdw.$call");
	is($result->{state}, $sqlstate, "$name: SQLSTATE") or diag($result->{text});
	like($result->{text}, $text, "$name: message");
	is(calls(), $calls, "$name: calls");
	is(known(), $before, "$name: nothing is forgotten");
	return;
}

is($other->rows('SELECT count(DISTINCT tenant_id) FROM xero.accounts'), 3, 'three organisations');

# ---- the one, and no other ----

$mark = $sandbox->mark;
$session->rows("BEGIN; SELECT xero_fdw.disconnect('xero', '$two'); ROLLBACK");
like(calls(), qr{^GET /connections 200 DELETE /connections/[0-9a-f-]{36} 204$}, 'one connection is deleted');
unlike(calls(), qr/$two/, 'by its own id');
is(known(), "$one connected, $three connected", 'the others are kept, whatever becomes of the transaction');
is($session->rows('SELECT state FROM xero_fdw.token WHERE server = \'xero\''), 'connected', 'so is the consent');
is(known('legacy'), "$one connected, $two connected, $three connected", 'and what another server has');
is($other->rows('SELECT count(DISTINCT tenant_id) FROM xero.accounts'), 2, 'a running session reads the others');
is(XeroSession->new($node)->rows('SELECT count(DISTINCT tenant_id) FROM xero.accounts'), 2, 'so does a new one');
is($other->rows("SELECT count(*) FROM xero.accounts WHERE tenant_id = '$two'"), 0, 'none of it is read');
$session->rows("SELECT xero_fdw.refresh_token('xero')");
is(known(), "$one connected, $three connected", 'Xero says the same');

refused('once more', "disconnect('xero', '$two')", '42704', qr/server "xero" is not connected to organisation $two\n.*HINT:  See the view xero_fdw\.connections\./s, 'GET /connections 200');
refused('somebody else', "disconnect('xero', '$nobody')", '42704', qr/server "xero" is not connected to organisation $nobody/, 'GET /connections 200');
refused('no uuid', "disconnect('xero', 'Demo Company')", '22P02', qr/invalid input syntax for type uuid/, '');
refused('no such server', "disconnect('nobody', '$one')", '42704', qr/server "nobody" does not exist/, '');
is($session->rows("SELECT xero_fdw.disconnect('xero', NULL) IS NULL"), 't', 'null');

# ---- one that is gone already ----

$sandbox->control('identity', { disconnect => $three });
$result = XeroSession->new($node)->try('SELECT count(*) FROM xero.accounts');
like($result->{text}, qr/is not connected to organisation "Demo Company[^"]*" \($three\) any more\nDETAIL:.*\nHINT:  Connect it again: SELECT xero_fdw\.authorize_url\('xero'\); or accept that it is gone: SELECT xero_fdw\.disconnect\('xero', '$three'\);/, 'one that is missed');
$mark = $sandbox->mark;
$session->rows("SELECT xero_fdw.disconnect('xero', '$three')");
is(calls(), 'GET /connections 200', 'is not deleted');
is(known(), "$one connected", 'but is missed no more');
is($other->rows('SELECT count(DISTINCT tenant_id) FROM xero.accounts'), 1, 'by anybody');

# ---- connected again ----

XeroConsent::connect($session, 'xero');
is(known(), "$one connected, $two connected, $three connected", 'a consent connects them again');

# ---- when Xero does not do as it is told ----

foreach my $case (
	[ 'fails', { status => 500 }, '08007', qr/outcome of a write to Xero is unknown for server "xero"\nDETAIL:  DELETE \/connections\// ],
	[ 'is offline', { status => 503 }, '08007', qr/outcome of a write to Xero is unknown/ ],
	[ 'cannot list', { path => '/connections', status => 500 }, 'HV00L', qr/Xero failed to carry out a request/ ],
	[ 'forbids', { status => 403, body => '{"Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"}' }, '42501', qr/Xero denied server "xero"/ ])
{
	my ($name, $fault, $sqlstate, $text) = @$case;
	my $before = known();
	$sandbox->faults({ path => '/connections/*', %$fault });
	$result = $session->try("SELECT xero_fdw.disconnect('xero', '$two')");
	is($result->{state}, $sqlstate, "Xero $name: SQLSTATE") or diag($result->{text});
	like($result->{text}, $text, "Xero $name: message");
	is(known(), $before, "Xero $name: nothing is forgotten");
}
$sandbox->faults({ path => '/connections/*', drop => 'after', times => 1 });
$mark = $sandbox->mark;
$session->rows("SELECT xero_fdw.disconnect('xero', '$two')");
like(calls(), qr{DELETE (/connections/\S+) 204 DELETE \1 404$}, 'an answer that is lost is asked for again');
is(known(), "$one connected, $three connected", 'and it is gone');
$sandbox->faults({ path => '/connections', status => 200, body => "[{\"id\": \"../x\", \"tenantId\": \"$three\", \"tenantType\": \"ORGANISATION\"}]" });
refused('an id that is none', "disconnect('xero', '$three')", 'HV00L', qr/could not read the list of organisations that server "xero" is connected to\nDETAIL:  The id of the connection to $three is not a uuid\./, 'GET /connections 200');
$sandbox->faults;

# ---- who may ----

$session->rows("CREATE ROLE alice; GRANT USAGE ON FOREIGN SERVER xero TO alice; SET ROLE alice");
$result = $session->try("SELECT xero_fdw.disconnect('xero', '$one')");
is($result->{state}, '42501', 'not who uses the mapping for PUBLIC');
like($result->{text}, qr/must be owner of foreign server xero/, 'message');
$session->rows("RESET ROLE; CREATE USER MAPPING FOR alice SERVER xero OPTIONS (client_secret 'sandbox-secret'); SET ROLE alice");
$result = $session->try("SELECT xero_fdw.disconnect('xero', '$one')");
is($result->{state}, '28000', 'who has a mapping without a consent');
like($result->{text}, qr/no consent is stored for server "xero"/, 'message');
$session->rows('RESET ROLE; DROP USER MAPPING FOR alice SERVER xero');

# ---- the last one; then all of them ----

$session->rows("SELECT xero_fdw.disconnect('xero', tenant_id) FROM xero_fdw.connections WHERE server = 'xero'");
is($session->rows("SELECT tenant_id IS NULL, state FROM xero_fdw.connections WHERE server = 'xero'"), 't|connected', 'the consent outlives its connections');
like($other->try('SELECT count(*) FROM xero.accounts')->{text}, qr/server "xero" is connected to no organisation/, 'there is nothing to read');
XeroConsent::connect($session, 'xero', "consent=yes&tenant=$one");
is($other->rows('SELECT count(DISTINCT tenant_id) FROM xero.accounts'), 1, 'until one is connected');
$mark = $sandbox->mark;
$session->rows("SELECT xero_fdw.disconnect('xero')");
is(calls(), 'POST /connect/revocation 200', 'without an organisation the consent ends');
is(known('legacy'), "$one connected, $two connected, $three connected", 'that of another server does not');

# ---- where there is no consent ----

$session->rows("ALTER SERVER xero OPTIONS (ADD grant_type 'client_credentials')");
is($session->rows('SELECT count(DISTINCT tenant_id) FROM xero.accounts'), 2, 'a custom connection');
my $no_consent = sub { my ($why) = @_; return qr/cannot disconnect a single organisation of server "xero"\nDETAIL:  $why\nHINT:  Disconnect the application in Xero; then SELECT xero_fdw\.disconnect\('xero'\); forgets the organisation\./; };
refused('a custom connection', "disconnect('xero', '$one')", '55000', $no_consent->('Its grant_type is client_credentials\.'), '');
$session->rows("ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (ADD access_token 'sandbox-token')");
refused('a token that is ready-made', "disconnect('xero', '$one')", '55000', $no_consent->('The user mapping has an access_token\.'), '');

$other->quit;
$session->quit;
done_testing();
