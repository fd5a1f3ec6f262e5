# Refresh: one exchange for the whole cluster, whatever happens around it.
use strict;
use warnings;

use HTTP::Tiny;
use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use XeroConsent;
use XeroSession;
use XeroTest;

my %options = XeroConsent::options();
$options{conf} .= "\nmax_connections = 130\nwal_level = replica\nmax_wal_senders = 10\nrestart_after_crash = on";
my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--no-limits' ], %options);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
my $query = 'SELECT count(account_id) > 0 FROM xero.accounts';
my ($mark, $result);

XeroConsent::connect($session, 'xero');
$session->rows("ALTER SERVER xero OPTIONS (ADD tenant_id '" . $session->rows('SELECT tenant_id FROM xero_fdw.connections') . "', ADD concurrency '100', ADD minute_limit '100000')");
is($session->rows($query), 't', 'connected');

sub exchanges { my ($since) = @_; return grep { $_->{path} eq '/connect/token' } $sandbox->log($since); }
sub expire { $sandbox->control('identity', { expire_tokens => JSON::PP::true() }); return; }
sub workers { return "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'xero_fdw token worker'"; }

sub until_true
{
	my ($sql, $what) = @_;
	for (1 .. 300)
	{
		return pass($what) if $session->rows($sql) eq 't';
		sleep(0.05);
	}
	return fail($what);
}

# Shared memory forgets with a restart, the table does not.
sub restart
{
	$session->quit;
	$node->restart;
	$session = XeroSession->new($node);
	return;
}

sub works
{
	my ($name, $expected) = @_;
	$mark = $sandbox->mark;
	$result = $session->try($query);
	is($result->{rows}, 't', "$name: rows") or diag($result->{text});
	is(scalar exchanges($mark), $expected, "$name: exchanges");
	return;
}

sub fails
{
	my ($name, $state, $text, $expected) = @_;
	$mark = $sandbox->mark;
	$result = $session->try($query);
	is($result->{state}, $state, "$name: SQLSTATE") or diag($result->{text});
	like($result->{text}, $text, "$name: message");
	is(scalar exchanges($mark), $expected, "$name: exchanges") if defined $expected;
	return;
}

# ---- the stored token outlives a restart ----

works('kept', 0);
restart();
works('from the table', 0);
expire();
works('expired', 1);
works('the new one is kept', 0);

# the keys of the issuer are fetched once for all exchanges, or as long as they fit
sub paths { my ($since) = @_; return [ map { $_->{path} =~ s{^/\.well-known/}{}r =~ s{.*/}{}r } $sandbox->log($since) ]; }
expire();
works('expired again', 1);
is_deeply(paths($mark), [qw(Accounts token Accounts)], 'a refresh is one request');
$sandbox->control('identity', { rotate_keys => JSON::PP::true() });
expire();
works('another key', 1);
is_deeply(paths($mark), [qw(Accounts token openid-configuration jwks Accounts)], 'is fetched when a token names it');
expire();
works('the other key', 1);
is_deeply(paths($mark), [qw(Accounts token Accounts)], 'is kept');
restart();
works('and stored', 0);

# ---- a hundred sessions at the moment of expiry ----

my @crowd = map { XeroSession->new($node) } 1 .. 100;
foreach my $case ('expired', 'gone')
{
	$case eq 'gone' ? $session->rows("UPDATE xero_fdw.token SET access_token = NULL") : expire();
	if ($case eq 'gone') { $sandbox->faults({ path => '/connect/token', delay_ms => 500 }); expire(); }
	$mark = $sandbox->mark;
	$_->start($query) foreach @crowd;
	my %outcome;
	$outcome{ $_->wait->{rows} }++ foreach @crowd;
	is_deeply(\%outcome, { t => 100 }, "$case: a hundred sessions");
	is(scalar exchanges($mark), 1, "$case: one exchange");
	$sandbox->faults;
}

# ---- fifty sessions at that moment, and something goes wrong ----

# The answer to an exchange is under way; no commit ends from here on.
sub nobody_confirms
{
	for (1 .. 300) { last if exchanges($mark); sleep(0.05); }
	$node->append_conf('postgresql.conf', "synchronous_standby_names = 'nobody'");
	$node->reload;
	return;
}

my $token_worker = "FROM pg_stat_activity WHERE backend_type = 'xero_fdw token worker'";
sub fifty
{
	my ($name, $expected, %case) = @_;
	my @fifty = @crowd[0 .. 49];
	expire();
	$case{before}->() if $case{before};
	$mark = $sandbox->mark;
	$_->start($case{sql} // $query) foreach @fifty;
	$case{meanwhile}->() if $case{meanwhile};
	if ($case{kill_when})
	{
		until_true("SELECT count(*) = 1 $token_worker AND $case{kill_when}", "$name: the worker is there");
		is($session->rows("SELECT count(pg_terminate_backend(pid)) $token_worker"), 1, "$name: and is terminated");
	}
	$case{after}->() if $case{after};
	my %outcome;
	foreach my $one (@fifty)
	{
		my $result = $one->wait;
		$outcome{ $result->{state} eq '00000' ? $result->{rows} : "$result->{state} $result->{text}" }++;
	}
	is_deeply(\%outcome, { t => 50 }, "$name: fifty sessions");
	is(scalar exchanges($mark), $expected, "$name: exchanges");
	works("$name: later", 0);
	return;
}
my $holder = XeroSession->new($node);
my %let_go = (after => sub { $holder->rows('COMMIT') });
fifty('killed before the exchange', 1, before => sub { $holder->rows('BEGIN; LOCK TABLE xero_fdw.token IN ACCESS EXCLUSIVE MODE') }, kill_when => "wait_event_type = 'Lock'", %let_go);
fifty('killed between answer and commit', 2, before => sub { $holder->rows('BEGIN; LOCK TABLE xero_fdw.token IN SHARE MODE') }, kill_when => "wait_event_type = 'Lock'", %let_go);
my @sent = map { $_->{body} } exchanges($mark);
is($sent[0], $sent[1], 'killed between answer and commit: the same refresh token again');
fifty('killed after the commit', 1,
	before => sub { $sandbox->faults({ path => '/connect/token', delay_ms => 1500, times => 1 }) }, meanwhile => \&nobody_confirms,
	kill_when => "wait_event = 'SyncRep'",
	after => sub { $node->append_conf('postgresql.conf', "synchronous_standby_names = ''"); $node->reload });
fifty('answer lost', 2, before => sub { $sandbox->faults({ path => '/connect/token', drop => 'after', times => 1 }) });
@sent = map { $_->{body} } exchanges($mark);
is($sent[0], $sent[1], 'answer lost: the same refresh token again');
$sandbox->faults;
fifty('all roll back', 1, before => sub { $_->rows('BEGIN') foreach @crowd[0 .. 49] });
$_->rows('ROLLBACK') foreach @crowd[0 .. 49];
works('all rolled back', 0);
$holder->quit;
$_->quit foreach @crowd;

# ---- the caller's transaction has no part in it ----

expire();
$session->rows('BEGIN');
works('in a transaction', 1);
$session->rows('ROLLBACK');
works('rolled back', 0);
restart();
works('rolled back, and restarted', 0);
expire();
$session->rows('BEGIN READ ONLY');
works('in a read-only transaction', 1);
$session->rows('ROLLBACK');

# a caller that gives up leaves the others their token
@crowd = map { XeroSession->new($node) } 1 .. 7;
expire();
$sandbox->faults({ path => '/connect/token', delay_ms => 1500, times => 1 });
$mark = $sandbox->mark;
$_->start($query) foreach @crowd[0 .. 4];
sleep(0.7);
my $began = time;
$session->rows('SELECT pg_cancel_backend(' . $crowd[0]->pid . '), pg_terminate_backend(' . $crowd[1]->pid . ')');
is($crowd[0]->wait->{state}, '57014', 'a wait for a token can be cancelled');
is($crowd[1]->wait->{state}, '57P01', 'and terminated');
cmp_ok(time - $began, '<', 0.6, 'at once');
is($_->wait->{rows}, 't', 'the others get it') foreach @crowd[2 .. 4];
is(scalar exchanges($mark), 1, 'by one exchange');
$crowd[0]->quit; $crowd[1]->quit;
splice(@crowd, 0, 2);

# ---- answers that are lost, late or wrong ----

foreach my $case (
	[ 'lost answer', { drop => 'after', times => 1 }, 2 ],
	[ 'lost request', { drop => 'before', times => 1 }, 2 ],
	[ 'answer cut short', { truncate => 30, times => 1 }, 2 ],
	[ 'answer not JSON', { garbage => JSON::PP::true(), worked => JSON::PP::true(), times => 1 }, 2 ],
	[ 'server error', { status => 503, times => 1 }, 2 ])
{
	my ($name, $fault, $expected) = @$case;
	expire();
	$sandbox->faults({ path => '/connect/token', %$fault });
	works($name, $expected);
	$sandbox->faults;
	expire();
	works("after $name", 1);
}
expire();
$sandbox->faults({ path => '/connect/token', drop => 'after' });
fails('every answer is lost', '08006', qr/connection to Xero was lost for server "xero"/);
is($session->rows('SELECT error FROM xero_fdw.connections'), 'connection to Xero was lost for server "xero"', 'connections tell');
$sandbox->faults;
works('the old refresh token is still good', 1);
is($session->rows('SELECT error FROM xero_fdw.connections'), '', 'and that all is well again');

# ---- 401 ----

$sandbox->faults({ path => '/api.xro/2.0/Accounts', status => 401, body => '{"Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired: token expired at 01/01/2020 00:00:00"}' });
fails('said to have expired for ever', '28000', qr/access token of server "xero" has expired\nDETAIL.*\nHINT:  Authorize it: SELECT xero_fdw/, 1);
$sandbox->faults({ path => '/api.xro/2.0/Accounts', status => 401, headers => { 'WWW-Authenticate' => 'insufficent_scope' }, body => '{"Title": "Unauthorized", "Status": 401, "Detail": "AuthorizationUnsuccessful"}' });
fails('missing scope', '42501', qr/lacks the scope for "\/api\.xro\/2\.0\/Accounts"\nDETAIL:  The scope is accounting\.settings\.read\. /);
is(scalar exchanges($mark), 1, 'missing scope: the rejected token was replaced');
fails('missing scope', '42501', qr/lacks the scope/, 0);
$sandbox->faults;
works('scope', 0);

# ---- early, before the end; and at the end, by our clock ----

$sandbox->control('identity', { lifetime => 4 });
$session->rows("SELECT xero_fdw.refresh_token('xero')");
$mark = $sandbox->mark;
is($session->rows($query), 't', 'a short-lived token');
is(scalar exchanges($mark), 0, 'is used');
sleep(2.2);
$sandbox->control('identity', { lifetime => undef });
works('past the half of its life', 1);
works('replaced', 0);
$sandbox->control('identity', { lifetime => 20 });
$session->rows("SELECT xero_fdw.refresh_token('xero')");
$sandbox->control('identity', { lifetime => undef });
$session->rows("SELECT pg_sleep(10.5)");
$sandbox->faults({ path => '/connect/token', delay_ms => 300 });
$began = time;
$mark = $sandbox->mark;
my @early = map { my $s = XeroSession->new($node); $s->start($query); $s } 1 .. 5;
is($_->wait->{rows}, 't', 'near its end') foreach @early;
until_true("SELECT refreshed_at > now() - interval '5 s' FROM xero_fdw.token", 'it is replaced');
is(scalar exchanges($mark), 1, 'once');
$sandbox->faults;
$_->quit foreach @early;

# ---- workers that end before their time ----

expire();
$sandbox->faults({ path => '/connect/token', delay_ms => 1500, times => 1 });
$mark = $sandbox->mark;
$_->start($query) foreach @crowd[0 .. 4];
sleep(0.5);
is($session->rows("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'xero_fdw token worker'"), 1, 'the worker is terminated');
is($_->wait->{rows}, 't', 'and another one is started') foreach @crowd[0 .. 4];
is(scalar exchanges($mark), 2, 'one at a time');

sub crash
{
	my ($name, $when, $before, $after, $meanwhile) = @_;
	expire();
	$before->();
	$mark = $sandbox->mark;
	my $victim = XeroSession->new($node);
	$victim->start($query);
	$meanwhile->() if $meanwhile;
	until_true($when, "$name: there");
	my $pid = $session->rows("SELECT pid FROM pg_stat_activity WHERE backend_type = 'xero_fdw token worker'");
	$_->quit foreach $session, splice(@crowd);
	kill 'KILL', $pid;
	isnt($victim->wait->{state}, '00000', "$name: the server starts anew");
	$victim->quit;
	$sandbox->faults;
	$node->poll_query_until('postgres', 'SELECT true') or die;
	$after->();
	$session = XeroSession->new($node);
	return;
}
my $blocker;
crash('killed before the answer', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'xero_fdw token worker' AND wait_event_type = 'Extension'",
	sub { $sandbox->faults({ path => '/connect/token', delay_ms => 3000 }) }, sub { });
works('killed before the answer', 1);
crash('killed between answer and commit', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'xero_fdw token worker' AND wait_event_type = 'Lock'",
	sub { $blocker = XeroSession->new($node); $blocker->rows('BEGIN; LOCK TABLE xero_fdw.token IN SHARE MODE') }, sub { $blocker->quit });
is(scalar exchanges($mark), 1, 'killed between answer and commit: there was an answer');
works('killed between answer and commit', 1);
crash('killed after the commit', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'xero_fdw token worker' AND wait_event = 'SyncRep'",
	sub { $sandbox->faults({ path => '/connect/token', delay_ms => 1500 }) },
	sub { $node->append_conf('postgresql.conf', "synchronous_standby_names = ''"); $node->reload; sleep(0.3) }, \&nobody_confirms);
is(scalar exchanges($mark), 1, 'killed after the commit: there was an answer');
works('killed after the commit', 0);

# ---- no room for a worker ----

$session->quit;
$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$node->restart;
$session = XeroSession->new($node);
fails('no worker', '53000', qr/could not start a background worker to get an access token for server "xero"\nDETAIL:.*\nHINT:  Raise max_worker_processes/, 0);
is($session->try("SELECT xero_fdw.refresh_token('xero')")->{state}, '53000', 'no worker for a refresh');
$session->quit;
$node->append_conf('postgresql.conf', 'max_worker_processes = 8');
$node->restart;
$session = XeroSession->new($node);
works('a worker', 0);

# ---- more user mappings than there are slots ----

$session->quit;
$node->append_conf('postgresql.conf', 'xero_fdw.max_tenants = 2');
$node->restart;
$session = XeroSession->new($node);
my $names = join(', ', map { "r$_" } 1 .. 4);
$session->rows("CREATE ROLE r$_; CREATE USER MAPPING FOR r$_ SERVER xero OPTIONS (client_secret 'sandbox-secret'); GRANT USAGE ON FOREIGN SERVER xero TO r$_") foreach 1 .. 4;
$session->rows("GRANT USAGE ON SCHEMA xero TO $names; GRANT SELECT ON xero.accounts TO $names");
foreach my $role (1 .. 4) { $session->rows("SET ROLE r$role"); XeroConsent::connect($session, 'xero'); }
$mark = $sandbox->mark;
foreach my $role (1 .. 4, 1 .. 4) { $session->rows("SET ROLE r$role"); is($session->rows($query), 't', "r$role, in turn"); }
is(scalar exchanges($mark), 0, 'what a slot has lost is still in the table');
$session->rows('RESET ROLE');
$session->rows("DROP USER MAPPING FOR r$_ SERVER xero") foreach 1 .. 4;
is($session->rows("SELECT count(*) FROM xero_fdw.connections WHERE user_name LIKE 'r_'"), 0, 'dropped mappings have no connection');
is($session->rows(qq{SELECT count(*) FROM (SELECT server, roleid FROM xero_fdw.token UNION ALL SELECT server, roleid FROM xero_fdw.organisation
	UNION ALL SELECT server, roleid FROM xero_fdw.pending_authorization) AS t WHERE (server, roleid) NOT IN (SELECT srvname, umuser FROM pg_user_mapping JOIN pg_foreign_server AS s ON s.oid = umserver)}), 0,
	'... and leave no token, organisation or person behind');
works('the first mapping', 0);
$session->quit;
$node->append_conf('postgresql.conf', 'xero_fdw.max_tenants = 100');
$node->restart;
$session = XeroSession->new($node);

# ---- a hot standby ----

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
my $reader = XeroSession->new($standby);
$mark = $sandbox->mark;
is($reader->rows($query), 't', 'standby: the replicated token is used');
expire();
$result = $reader->try($query);
is($result->{state}, '25006', 'standby: it cannot be renewed');
like($result->{text}, qr/cannot be renewed during recovery\n.*HINT:  Query the server on the primary/s, 'standby: message');
is(scalar exchanges($mark), 0, 'standby: nothing is exchanged');
is($reader->try("SELECT xero_fdw.$_")->{state}, '25006', "standby: $_") foreach "refresh_token('xero')", "authorize_url('xero')", "disconnect('xero')", "complete_authorization('xero', 'http://localhost/?code=a&state=b')";
is($session->rows($query), 't', 'primary: renewed');
$node->wait_for_catchup($standby, 'replay');
is($reader->rows($query), 't', 'standby: and replicated');
expire();
$standby->promote;
is($reader->rows($query), 't', 'promoted: renewed there');
$reader->quit;
$standby->stop;
works('the old primary comes back within the grace', 1);

# ---- what the identity server says is not shown ----

sub hides
{
	my ($name, $fault, $state, $text, $expected) = @_;
	expire();
	$sandbox->faults({ path => '/connect/token', %$fault });
	fails($name, $state, $text, $expected);
	unlike($result->{text}, qr/hushhush/, "$name: no secret");
	$sandbox->faults;
	return;
}
hides('a token as text', { status => 200, headers => { 'Content-Type' => 'text/plain' }, body => '{"access_token": "hushhush", "refresh_token": "hushhush", "expires_in": 1800}' },
	'HV00L', qr/is not JSON\nDETAIL:  POST \/connect\/token: HTTP status 200, correlation id \S+\.\n/, 3);
hides('a token in an error', { status => 500, body => '{"Title": "hushhush", "Message": "hushhush"}' },
	'HV00L', qr/DETAIL:  POST \/connect\/token: HTTP status 500, correlation id \S+\.\n/, 5);
hides('a token for a word', { status => 400, body => '{"error": "hushhush"}' },
	'28000', qr/Xero refused an access token to server "xero"\nDETAIL:  HTTP status 400, correlation id \S+\.\n/, 1);
is($session->rows("SELECT count(*) FROM xero_fdw.requests WHERE error LIKE '%hush' || 'hush%'"), 0, 'nor in xero_fdw.requests');
works('none of it ends the consent', 1);
unlike(slurp_file($node->logfile), qr/hushhush/, 'nor in the log');

# ---- the consent has ended ----

$sandbox->control('identity', { reject_refresh => JSON::PP::true() });
expire();
@crowd = map { XeroSession->new($node) } 1 .. 10;
$mark = $sandbox->mark;
$_->start($query) foreach @crowd;
my %states;
$states{ $_->wait->{state} }++ foreach @crowd;
is_deeply(\%states, { 28000 => 10 }, 'refused for all');
is(scalar exchanges($mark), 1, 'refused once');
fails('refused', '28000', qr/Xero does not accept the consent that is stored for server "xero" any more\nDETAIL:  HTTP status 400.*"invalid_grant"\.\nHINT:  Authorize it: SELECT xero_fdw\.authorize_url\('xero'\);/, 0);
like($session->rows('SELECT state, token_expires_at IS NULL, error FROM xero_fdw.connections'), qr/^reconnect needed\|t\|HTTP status 400.*invalid_grant/, 'connections tell');
restart();
@crowd = (XeroSession->new($node));
fails('after a restart', '28000', qr/does not accept the consent.*any more\nDETAIL:  HTTP status 400.*"invalid_grant"/, 0);
is($session->try("SELECT xero_fdw.refresh_token('xero')")->{state}, '28000', 'not refreshed either');
$sandbox->control('identity', { reject_refresh => undef });
fails('only a new consent helps', '28000', qr/any more/, 0);
XeroConsent::connect($session, 'xero');
works('a new consent', 0);
is($session->rows('SELECT state, error FROM xero_fdw.connections'), 'connected|', 'connections: connected');
is($crowd[0]->rows($query), 't', 'in other sessions at once');
$session->rows("SELECT xero_fdw.refresh_token('xero')");
works('refreshed by hand', 0);

# ---- tokens that cannot be trusted; the refresh token is kept all the same ----

$sandbox->control('identity', { access_token => 'wrong_key' });
expire();
fails('forged', '28000', qr/access token received for server "xero" cannot be trusted\nDETAIL:  The token has a wrong signature/, 1);
fails('no hammering', '28000', qr/cannot be trusted/, 0);
$sandbox->control('identity', { access_token => undef });
$session->rows("SELECT xero_fdw.refresh_token('xero')");
works('well again', 0);

# keys that were wrong when they were fetched, under the name of the right one
restart();
my $jwks = HTTP::Tiny->new->get($sandbox->url . '/.well-known/openid-configuration/jwks')->{content};
$jwks =~ s/("n": *"[^"]{20})(.)/$1 . ($2 eq 'A' ? 'B' : 'A')/eg or die $jwks;
$sandbox->faults({ path => '/.well-known/openid-configuration/jwks', body => $jwks });
like($session->try("SELECT xero_fdw.refresh_token('xero')")->{text}, qr/cannot be trusted\nDETAIL:  The token has a wrong signature/, 'wrong keys');
$sandbox->faults;
$mark = $sandbox->mark;
$session->rows("SELECT xero_fdw.refresh_token('xero')");
is_deeply(paths($mark), [qw(token openid-configuration jwks connections)], 'are fetched anew');
@crowd = (XeroSession->new($node));

# ---- changes of options count at once ----

$session->rows("ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (SET client_secret 'wrong')");
works('the stored token is still good', 0);
expire();
fails('wrong secret', '28000', qr/Xero refused an access token to server "xero"\nDETAIL:.*"invalid_client"\.\nHINT:  Check client_id and client_secret/, 1);
$session->rows("ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (SET client_secret 'sandbox-secret')");
works('the right one', 1);
$session->rows("ALTER SERVER xero OPTIONS (SET client_id 'sandbox-pkce')");
fails('another application', '28000', qr/no consent is stored/, 0);
is($crowd[0]->try($query)->{state}, '28000', 'in other sessions, too');
$session->rows("ALTER SERVER xero OPTIONS (SET client_id 'sandbox-client')");
works('the first one', 0);

$_->quit foreach @crowd, $session;
done_testing();
