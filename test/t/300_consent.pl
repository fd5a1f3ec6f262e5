# Consent: from the address that a person opens to the tokens that are stored,
# and every way in which that can go wrong.
use strict;
use warnings;

use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use XeroConsent;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--no-limits', '--tenants', 3 ], XeroConsent::options(), import => undef);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
my ($state, $back, $result, $mark);

sub begin { return XeroConsent::begin($session, 'xero'); }
sub browse { return XeroConsent::browse(@_); }
sub stored { return $session->rows('SELECT (SELECT count(*) FROM xero_fdw.token), (SELECT count(*) FROM xero_fdw.pending_authorization)'); }
sub token_calls { my ($since) = @_; return scalar grep { $_->{path} eq '/connect/token' } $sandbox->log($since); }

# Completing must fail so, and leave nothing.
sub refused
{
	my ($name, $address, $sqlstate, $text, $pending) = @_;
	$result = $session->try(XeroConsent::complete('xero', $address));
	is($result->{state}, $sqlstate, "$name: SQLSTATE") or diag($result->{text});
	like($result->{text}, $text, "$name: message");
	is(stored(), '0|' . ($pending // 0), "$name: nothing is stored");
	$session->rows('DELETE FROM xero_fdw.pending_authorization') if $pending;
	return;
}

# ---- the address ----

$mark = $sandbox->mark;
my $url = begin();
like($url, qr{^\Q@{[$sandbox->url]}\E/identity/connect/authorize\?response_type=code&client_id=sandbox-client&redirect_uri=http%3A%2F%2Flocalhost%2Fxero&scope=}, 'address');
like($url, qr/&state=[\w-]{43}&nonce=[\w-]{43}&code_challenge=[\w-]{43}&code_challenge_method=S256$/, 'state, nonce and challenge');
isnt(begin(), $url, 'no two are the same');
is($sandbox->mark, $mark, 'no call is made for it');
is(stored(), '0|2', 'two are open');
($state) = $url =~ /state=([\w-]+)/;
is($session->rows("SELECT count(*) FROM xero_fdw.pending_authorization p WHERE p::text LIKE '%$state%'"), 0, 'the state itself is not stored');
$session->rows('DELETE FROM xero_fdw.pending_authorization');

# ---- scopes ----

sub scopes { begin() =~ /&scope=([^&]*)/; return $1 =~ s/%20/ /gr; }
my $always = 'openid profile email offline_access';
my %before;
$before{$_}++ foreach split / /, scopes();
ok($before{$_}, "before there are tables: $_") foreach split(/ /, $always), qw(accounting.invoices accounting.settings accounting.contacts accounting.banktransactions accounting.budgets.read);
is_deeply([ grep { !/^accounting|^paymentservices$/ && $always !~ /\b$_\b/ } keys %before ], [], 'and nothing but accounting');
is_deeply([ grep { $before{"$_.read"} } keys %before ], [], 'a scope to write covers reading');
is_deeply([ grep { $before{$_} > 1 } keys %before ], [], 'none twice');
$session->rows("ALTER SERVER xero OPTIONS (ADD updatable 'false')");
like(scopes(), qr/^$always .*accounting\.invoices\.read/, 'a server that must not write: to read');
unlike(scopes(), qr/accounting\.transactions|payroll|accounting\.\w+( |$)/, 'and nothing more');
$session->rows('ALTER SERVER xero OPTIONS (DROP updatable)');
$session->rows('CREATE SCHEMA xero; IMPORT FOREIGN SCHEMA accounting LIMIT TO (accounts, users, journals, invoices, credit_notes) FROM SERVER xero INTO xero');
sub needs { my ($name, $expected) = @_; return is(join(' ', sort split / /, scopes()), join(' ', sort split / /, "$always $expected"), $name); }
needs('what the tables need', 'accounting.settings accounting.invoices');
$session->rows("ALTER FOREIGN TABLE xero.accounts OPTIONS (ADD updatable 'false')");
needs('a table that must not be written', 'accounting.settings.read accounting.invoices');
$session->rows("ALTER FOREIGN TABLE xero.accounts OPTIONS (SET updatable 'true'); ALTER SERVER xero OPTIONS (ADD updatable 'false')");
needs('a server that must not write, whatever a table says', 'accounting.settings.read accounting.invoices.read');
$session->rows('DROP FOREIGN TABLE xero.users, xero.journals, xero.credit_notes');
$session->rows("ALTER FOREIGN TABLE xero.accounts OPTIONS (DROP updatable); ALTER SERVER xero OPTIONS (DROP updatable)");
needs('as before', 'accounting.settings accounting.invoices');
$session->rows("ALTER SERVER xero OPTIONS (ADD scopes 'accounting.transactions email')");
is(scopes(), "$always accounting.transactions", 'the option, with what a consent must have');
$session->rows('ALTER SERVER xero OPTIONS (DROP scopes)');
$session->rows('DELETE FROM xero_fdw.pending_authorization');

# ---- too many at once ----

my $hundred = q{DO $$BEGIN FOR i IN 1 .. 100 LOOP PERFORM xero_fdw.authorize_url('xero'); END LOOP; END$$};
$session->rows($hundred);
is(stored(), '0|100', 'a hundred are open');
$result = $session->try(q{SELECT xero_fdw.authorize_url('xero')});
is($result->{state}, '53400', 'one more is refused');
like($result->{text}, qr/too many authorizations are under way\nDETAIL:  Role "postgres" has begun 100.*\nHINT:  Each ends after ten minutes/, '... until when');
$session->rows('CREATE ROLE other; GRANT USAGE ON FOREIGN SERVER xero TO other; CREATE USER MAPPING FOR other SERVER xero; SET ROLE other');
like(begin(), qr/^http/, '... but of the same role only');
$session->rows("RESET ROLE; UPDATE xero_fdw.pending_authorization SET expires_at = now() - interval '1 s' WHERE begun_by = 'postgres'::regrole");
like(begin(), qr/^http/, '... and for as long');
$session->rows('DROP USER MAPPING FOR other SERVER xero; DELETE FROM xero_fdw.pending_authorization');

# ---- what goes wrong before the exchange ----

$mark = $sandbox->mark;
refused('no address', 'http://localhost/xero', '22023', qr/address has no code\n.*HINT:  Copy the whole address/s);
refused('half an address', 'http://localhost/xero?code=abc', '22023', qr/address has no state/);
refused('unknown state', 'http://localhost/xero?code=abc&state=xyz', '28000', qr/was not begun, is completed already, or has taken too long\nDETAIL:.*\nHINT:  Authorize it: SELECT xero_fdw\.authorize_url\('xero'\);/);
refused('refused by the person', browse(begin(), 'consent=no'), '28000', qr/consent was refused for server "xero"\nDETAIL:  access_denied.*\nHINT:  To begin again: SELECT xero_fdw/, 1);
refused('refused by Xero', 'http://localhost/xero?error=invalid_scope&error_description=no%20such+scope%0a', '28000', qr/Xero did not accept the request for consent of server "xero"\nDETAIL:  invalid_scope: no such scope\nHINT:  The application may not ask for all of these scopes\. Set the server option "scopes" to those that it has\./);
$back = browse(begin());
$session->rows("UPDATE xero_fdw.pending_authorization SET expires_at = now()");
refused('begun too long ago', $back, '28000', qr/has taken too long/, 1);
$session->rows('BEGIN');
$back = browse(begin());
$session->rows('ROLLBACK');
refused('begun and rolled back', $back, '28000', qr/only if its transaction was committed/);
$session->rows('CREATE ROLE alice; GRANT USAGE ON FOREIGN SERVER xero TO alice; CREATE USER MAPPING FOR alice SERVER xero OPTIONS (client_secret \'sandbox-secret\'); CREATE USER MAPPING FOR postgres SERVER xero OPTIONS (client_secret \'sandbox-secret\')');
$session->rows('SET ROLE alice');
$back = browse(begin());
$session->rows('RESET ROLE');
refused('begun by another role', $back, '42501', qr/was begun by another role\nHINT:  The role that called authorize_url\(\) must complete it/, 1);
$session->rows('DROP USER MAPPING FOR postgres SERVER xero; DROP USER MAPPING FOR alice SERVER xero');
is(token_calls($mark), 0, 'no exchange was made for any of these');

# ---- what goes wrong in the exchange ----

$sandbox->faults({ path => '/.well-known/*', status => 404 });
refused('no discovery', browse(begin()), 'HV00L', qr/Xero has nothing at/);
$sandbox->faults({ path => '/.well-known/openid-configuration', body => '{"issuer": "https://identity.xero.com", "jwks_uri": "https://identity.xero.com/jwks"}' });
refused('another issuer', browse(begin()), 'HV00L', qr/not usable\nDETAIL:  The issuer has another name/);
$sandbox->faults({ path => '/.well-known/openid-configuration', body => '{"issuer": "' . $sandbox->url . '", "jwks_uri": "http://127.0.0.1:1/jwks"}' });
refused('keys elsewhere', browse(begin()), 'HV00L', qr/not usable\nDETAIL:  The keys are not below/);
$sandbox->faults;
$back = browse(begin());
$sandbox->clock(301);
refused('code too old', $back, '28000', qr/Xero refused to complete the authorization of server "xero"\nDETAIL:  HTTP status 400.*"invalid_grant"\.\nHINT:  A code is good for five minutes/);
refused('and not again', $back, '28000', qr/was not begun/);
$session->rows("ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (SET client_secret 'wrong')");
refused('wrong secret', browse(begin()), '28000', qr/"invalid_client"\.\nHINT:  Check client_id, client_secret/);
$session->rows("ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (SET client_secret 'sandbox-secret')");
$sandbox->faults({ path => '/connect/token', status => 200, body => '{"access_token": "x", "expires_in": 1800, "token_type": "Bearer"}', headers => { 'Content-Type' => 'application/json' } });
refused('no refresh token', browse(begin()), '28000', qr/gave no refresh token.*offline_access/s);
$sandbox->faults({ path => '/connect/token', status => 503 });
refused('Xero is down', browse(begin()), 'HV00L', qr/Xero is not available/);
$sandbox->faults;

# ---- tokens that are not what they should be ----

foreach my $flaw (qw(alg_none hs256 wrong_key unknown_kid wrong_iss wrong_aud wrong_sub no_exp stale early wrong_nonce no_nonce wrong_at_hash))
{
	$sandbox->control('identity', { id_token => $flaw });
	refused("id token $flaw", browse(begin()), '28000', qr/id token received for server "xero" cannot be trusted\nDETAIL:  The token /);
}
$sandbox->control('identity', { id_token => undef });
foreach my $flaw (qw(alg_none hs256 wrong_key unknown_kid wrong_iss wrong_aud wrong_sub no_exp stale early wrong_client))
{
	$sandbox->control('identity', { access_token => $flaw });
	refused("access token $flaw", browse(begin()), '28000', qr/(access|id) token received for server "xero" cannot be trusted\nDETAIL:  The token /);
}
$sandbox->control('identity', { access_token => undef });

# ---- and now well ----

$mark = $sandbox->mark;
my $rows = XeroConsent::connect($session, 'xero');
is($rows, join("\n", map { "Zoë O’Brien-Łuk|zoe.obrien\@example.com|$_" } split /\n/, $session->rows("SELECT tenant_id, tenant_name, tenant_type FROM xero_fdw.connections ORDER BY tenant_name")), 'who, and which organisations')
  or diag($rows);
is(() = $rows =~ /Demo Company/g, 3, 'all three');
is(token_calls($mark), 1, 'one exchange');
is(stored(), '1|0', 'one consent, nothing open');
is($session->rows('SELECT DISTINCT server, user_name, state, error FROM xero_fdw.connections'), 'xero|public|connected|', 'connections');
is($session->rows("SELECT client_id, (SELECT string_agg(scope, ' ' ORDER BY scope COLLATE \"C\") FROM string_to_table(scopes, ' ') AS scope), authorized_by, email FROM xero_fdw.token"), "sandbox-client|accounting.invoices accounting.settings email offline_access openid profile|postgres|zoe.obrien\@example.com", 'what is known of it');
my ($tenant) = split /\n/, $session->rows('SELECT tenant_id FROM xero_fdw.connections ORDER BY tenant_name');
$session->rows("ALTER SERVER xero OPTIONS (ADD tenant_id '$tenant')");
$mark = $sandbox->mark;
cmp_ok($session->rows('SELECT count(*) FROM xero.accounts'), '>', 10, 'rows');
is($sandbox->mark, $mark + 1, 'with one call');
is(XeroSession->new($node)->rows('SELECT count(*) FROM xero.accounts'), $session->rows('SELECT count(*) FROM xero.accounts'), 'in another session, too');
is(token_calls($mark), 0, 'no token was asked for');

# a consent replaces an older one; the organisations are those of both
$rows = XeroConsent::connect($session, 'xero', "consent=yes&tenant=$tenant");
is(stored(), '1|0', 'again');

# keys that are exchanged between the look at them and the exchange
$back = browse(begin());
$sandbox->faults({ path => '/connect/token', delay_ms => 1000, times => 1 });
$mark = $sandbox->mark;
$session->start(XeroConsent::complete('xero', $back));
sleep(0.4);
$sandbox->control('identity', { rotate_keys => JSON::PP::true() });
is($session->wait->{state}, '00000', 'a new key');
is(scalar(grep { $_->{path} =~ /jwks/ } $sandbox->log($mark)), 1, 'was asked for once');

# the caller's rollback takes nothing back, nor does a read-only transaction forbid
$session->rows("SELECT xero_fdw.disconnect('xero')");
is(stored(), '0|0', 'disconnected');
$back = browse(begin());
$session->rows('BEGIN READ ONLY');
like($session->rows(XeroConsent::complete('xero', $back)), qr/Demo Company/, 'in a transaction');
$session->rows('ROLLBACK');
is(stored(), '1|0', 'stays when that is rolled back');
$session->rows('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
is($session->try("SELECT xero_fdw.authorize_url('xero')")->{state}, '00000', 'begun in a snapshot');
$session->rows('COMMIT');

# organisations that cannot be read now do not undo the consent
$session->rows("SELECT xero_fdw.disconnect('xero')");
$back = browse(begin());
$sandbox->faults({ path => '/connections', status => 404 });
$result = $session->try(XeroConsent::complete('xero', $back));
is($result->{state}, 'HV00L', 'no organisations');
$sandbox->faults;
is($session->rows('SELECT state, tenant_id IS NULL FROM xero_fdw.connections'), 'connected|t', 'connected all the same');
$session->rows("SELECT xero_fdw.refresh_token('xero')");
is($session->rows('SELECT count(tenant_id) FROM xero_fdw.connections'), 3, 'read by a refresh');

# what running sessions know of organisations is forgotten with a new consent
$session->rows("SELECT xero_fdw.disconnect('xero')");
$session->rows('ALTER SERVER xero OPTIONS (DROP tenant_id)');
my $other = XeroSession->new($node);
is(() = XeroConsent::connect($session, 'xero', "consent=yes&tenant=$tenant") =~ /Demo Company/g, 1, 'one organisation');
is($other->rows('SELECT count(DISTINCT tenant_id) FROM xero.accounts'), 1, 'is read');
XeroConsent::connect($session, 'xero');
is($other->rows('SELECT count(DISTINCT tenant_id) FROM xero.accounts'), 3, 'and all, when there are more');

# an organisation that was disconnected in Xero is missed, until a person has seen to it
my ($gone) = $session->rows("SELECT tenant_id FROM xero_fdw.connections WHERE tenant_id <> '$tenant' LIMIT 1");
my $missed = qr/server "xero" is not connected to organisation "Demo Company[^"]*" \($gone\) any more\nDETAIL:.*\nHINT:  Connect it again: SELECT xero_fdw\.authorize_url\('xero'\); or accept that it is gone: SELECT xero_fdw\.disconnect\('xero', '$gone'\);/;
$sandbox->control('identity', { disconnect => $gone });
foreach my $who ('a new session', 'after a refresh')
{
	my $new = XeroSession->new($node);
	$result = $new->try('SELECT count(*) FROM xero.accounts');
	is($result->{state}, '28000', "missed by $who");
	like($result->{text}, $missed, "missed by $who: message");
	is($new->rows("SELECT count(DISTINCT tenant_id) FROM xero.accounts WHERE tenant_id <> '$gone'"), 2, "$who: the others");
	$new->quit;
	$session->rows("SELECT xero_fdw.refresh_token('xero')");
	is($session->rows("SELECT string_agg(DISTINCT state, ' ') FILTER (WHERE tenant_id <> '$gone'), min(state) FILTER (WHERE tenant_id = '$gone') FROM xero_fdw.connections"), 'connected|disconnected', "$who: connections");
}
like($other->try('SELECT count(*) FROM xero.accounts')->{text}, $missed, 'a refresh tells running sessions');
is(() = XeroConsent::connect($session, 'xero', "consent=yes&tenant=$tenant") =~ /Demo Company/g, 2, 'a consent without it');
is($other->rows('SELECT count(DISTINCT tenant_id) FROM xero.accounts'), 2, 'accepts that it is gone');
is(() = XeroConsent::connect($session, 'xero') =~ /Demo Company/g, 3, 'a consent with it');
is($other->rows('SELECT count(DISTINCT tenant_id) FROM xero.accounts'), 3, 'connects it again');
$session->rows("SELECT xero_fdw.disconnect('xero')");
is($other->try('SELECT count(*) FROM xero.accounts')->{state}, '28000', 'and none');
XeroConsent::connect($session, 'xero');
$session->rows("ALTER SERVER xero OPTIONS (ADD tenant_id '$tenant')");
$other->quit;

# ---- disconnect ----

$mark = $sandbox->mark;
$session->rows("BEGIN; SELECT xero_fdw.disconnect('xero'); ROLLBACK");
is(join(' ', map { "$_->{path} $_->{status}" } $sandbox->log($mark)), '/connect/revocation 200', 'Xero is told');
is(stored(), '0|0', 'all is forgotten');
$result = $session->try('SELECT count(*) FROM xero.accounts');
is($result->{state}, '28000', 'no token any more');
like($result->{text}, qr/no consent is stored for server "xero"\nHINT:  Authorize it: SELECT xero_fdw\.authorize_url\('xero'\);/, 'message');
$result = $session->try("SELECT xero_fdw.disconnect('xero')");
is($result->{state}, '28000', 'disconnected already');
is($session->try("SELECT xero_fdw.refresh_token('xero')")->{state}, '28000', 'nothing to refresh');
XeroConsent::connect($session, 'xero');
$sandbox->faults({ path => '/connect/revocation', status => 503 });
is($session->try("SELECT xero_fdw.disconnect('xero')")->{state}, 'HV00L', 'Xero cannot be told');
is(stored(), '1|0', 'so nothing is forgotten');
$sandbox->faults;

# ---- an application without a secret ----

$session->rows("ALTER SERVER xero OPTIONS (SET client_id 'sandbox-pkce'); ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (DROP client_secret)");
is($session->try('SELECT count(*) FROM xero.accounts')->{state}, '28000', 'another application has no consent');
like(XeroConsent::connect($session, 'xero'), qr/Demo Company/, 'PKCE');
cmp_ok($session->rows('SELECT count(*) FROM xero.accounts'), '>', 10, 'PKCE: rows');
$session->rows("SELECT xero_fdw.refresh_token('xero')");
cmp_ok($session->rows('SELECT count(*) FROM xero.accounts'), '>', 10, 'PKCE: refreshed');
$session->rows("SELECT xero_fdw.disconnect('xero')");
is(stored(), '0|0', 'PKCE: disconnected');

# ---- a database whose encoding lacks the names' letters ----

$node->safe_psql('postgres', "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
my $latin = XeroSession->new($node, dbname => 'latin');
$latin->rows("CREATE EXTENSION xero_fdw; CREATE SERVER xero FOREIGN DATA WRAPPER xero_fdw OPTIONS (client_id 'sandbox-client', api_url '@{[$sandbox->url]}', identity_url '@{[$sandbox->url]}', login_url '@{[$sandbox->url]}');
	CREATE USER MAPPING FOR PUBLIC SERVER xero OPTIONS (client_secret 'sandbox-secret')");
like(XeroConsent::connect($latin, 'xero'), qr/^Zo\?+ O\?+Brien-\?+uk\|zoe/, 'LATIN1');
$latin->rows("SELECT xero_fdw.refresh_token('xero')");
is($latin->rows('SELECT count(*) FROM xero_fdw.connections'), 3, 'LATIN1: connections');
$latin->quit;

# ---- servers that need no consent ----

foreach my $case (
	[ "ALTER SERVER xero OPTIONS (ADD grant_type 'client_credentials')", '55000', qr/needs no consent\nDETAIL:  Its grant_type is client_credentials/ ],
	[ "ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (ADD access_token 'sandbox-token')", '55000', qr/needs no consent\nDETAIL:  The user mapping has an access_token/ ],
	[ 'DROP USER MAPPING FOR PUBLIC SERVER xero', '42704', qr/user mapping not found/ ])
{
	my ($change, $sqlstate, $text) = @$case;
	$session->rows($change);
	foreach my $call ("authorize_url('xero')", "complete_authorization('xero', 'http://localhost/?code=a&state=b')", "refresh_token('xero')", $sqlstate eq '55000' ? () : "disconnect('xero')")
	{
		$result = $session->try("SELECT xero_fdw.$call");
		is($result->{state}, $sqlstate, "$change: $call") or diag($result->{text});
		like($result->{text}, $text, "$change: $call: message");
	}
}
is($session->try("SELECT xero_fdw.authorize_url('nobody')")->{state}, '42704', 'no such server');

$session->quit;
done_testing();
