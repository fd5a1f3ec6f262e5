# Whose budget it is: the application's in an organisation, whatever server,
# database or part of Xero the calls come from.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroBudget;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--tenants', 3, '--concurrency', 100 ],
	conf => 'xero_fdw.max_tenants = 2', import => undef);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $budget = XeroBudget->new($xero);
my @tenants = $budget->tenants;
my $session = XeroSession->new($node);

sub query { return "SELECT count(account_id) > 0 FROM $_[0].accounts"; }

# Who has an entry, with the calls counted in it.
sub entries
{
	return $budget->watcher->rows("SELECT string_agg(server || ' ' || calls, ', ' ORDER BY server) FROM xero_fdw.budget");
}

# ---- room for two ----

foreach my $n (0 .. 2)
{
	my $name = (qw(one two three))[$n];
	$budget->server($name, client_id => 'app', tenant_id => $tenants[$n]);
}
is(entries(), '', 'nobody has called');
$session->rows(query($_)) foreach 'one', 'two', 'two';
is(entries(), 'one 1, two 2', 'two organisations');
$session->rows(query('three'));
is(entries(), 'three 1, two 2', 'for a third, the one that was idle longest makes room');
$session->rows(query($_)) foreach 'two', 'one';
is(entries(), 'one 1, two 3', 'and so on');
is($budget->row('one', 'minute_remaining'), 58, 'what was forgotten, Xero has told');
is($budget->row('two', 'app_minute_remaining'), 10_000 - 6, 'so it has what all of them spent');

# What is not idle is not forgotten: a call under way ...
my $holder = XeroSession->new($node);
$sandbox->faults({ path => '/api.xro/2.0/Invoices', delay_ms => 60_000 });
ok($budget->hold($holder, 'SELECT count(invoice_id::text) FROM two.invoices'), 'a call takes long');
$session->rows(query('one'));
$session->rows(query('three'));
is(entries(), 'three 1, two 3', 'who has a call under way stays');

# ... or an order of Xero's.
$session->rows(q{SET xero_fdw.max_wait = '1s'});
$sandbox->faults({ path => '/api.xro/2.0/Accounts', problem => 'minute', retry_after => 600, times => 1 });
is($session->try(query('three'))->{state}, '53400', 'refused');
my $result = $session->try(query('one'));
is($result->{state}, '53400', 'no room: SQLSTATE');
like($result->{text}, qr/too many organisations of Xero are in use at once for server "one"\nDETAIL:  The statement has waited for as long as xero_fdw\.max_wait \(1000 ms\) allows\.\nHINT:  Raise xero_fdw\.max_tenants and restart the server, or raise xero_fdw\.max_wait\./, 'message');
cmp_ok($result->{seconds}, '>=', 1, 'it has waited for it');
is(entries(), 'three 2, two 3', 'both stay');
$budget->watcher->rows('SELECT pg_cancel_backend(' . $holder->pid . ')');
is($holder->wait->{state}, '57014', 'the call is cancelled');
ok($budget->until_true("SELECT in_flight = 0 FROM xero_fdw.budget WHERE server = 'two'"), 'its place is free');
$sandbox->faults;
$session->rows('CREATE FUNCTION state_of(query text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE query; RETURN NULL; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$');
ok($budget->until_true(sprintf q{SELECT state_of('%s') IS NULL}, query('one')), 'and there is room again');
like(entries(), qr/^one \d+, three 2$/, 'but the order of Xero is not forgotten');
is($session->try(query('three'))->{state}, '53400', 'and still holds');

# ---- who comes too late ----

# A cursor has asked for pages and is not fetched from: their places are lost,
# and at last its organisation's entry, too.
$_->quit foreach $session, $holder, $budget;
$node->restart;
$budget = XeroBudget->new($xero);
$session = XeroSession->new($node);
$session->rows('SELECT xero_fdw.reset_stats()');
$budget->server('late', client_id => 'late', tenant_id => $tenants[0], page_size => 10, concurrency => 3);
$sandbox->faults({ path => '/api.xro/2.0/Invoices', after => 1, times => 2, delay_ms => 300 });
$session->rows('BEGIN; SET LOCAL cursor_tuple_fraction = 1; DECLARE c CURSOR FOR SELECT invoice_id FROM late.invoices; MOVE 1 FROM c');
is($budget->row('late', 'calls, in_flight'), '1|2', 'two pages are asked for ahead');
ok($budget->until_true("SELECT in_flight = 0 FROM xero_fdw.budget WHERE server = 'late'"), 'and their places are lost');
$budget->watcher->rows(query($_)) foreach 'one', 'two';
like(entries(), qr/^one \d, two 1$/, 'the entry is that of another organisation');
$session->rows('MOVE ALL FROM c');
like(entries(), qr/^late \d+, two 1$/, 'which what comes of them is not counted for');
is($budget->row('two', 'throttled, last_problem, blocked_until, in_flight, bytes_in = ' . $budget->watcher->rows("SELECT bytes_in FROM xero_fdw.requests WHERE server = 'two' ORDER BY at DESC LIMIT 1")),
	'0|||0|t', 'nor otherwise affected');
$session->rows('COMMIT');
$sandbox->faults;

# ---- who waits for a token for too long ----

# Leave to call is lost meanwhile, and must be had anew.
my %one_at_once = (client_id => 'sandbox-client', tenant_id => $tenants[0], concurrency => 1);
$budget->server('slow', %one_at_once, grant_type => 'client_credentials');
$budget->server('quick', %one_at_once);
$budget->watcher->rows("ALTER USER MAPPING FOR PUBLIC SERVER slow OPTIONS (DROP access_token, ADD client_secret 'sandbox-secret')");
$budget->prove('slow', 'quick');
$holder = XeroSession->new($node);
$sandbox->faults({ path => '/connect/token', status => 503, headers => { 'Retry-After' => 14 }, times => 1 },
	{ path => '/api.xro/2.0/Invoices', delay_ms => 60_000 });
my $late = $sandbox->mark;
$session->start(query('slow'));
ok($budget->waits($session, 'token'), 'a token takes long');
$holder->start('SELECT count(invoice_id::text) FROM quick.invoices');
ok($budget->waits($holder, 'network'), 'another call has the place');
ok($budget->waits($session, 'budget'), 'who has the token waits for one');
is(join(' ', map { s/\?.*//r } $sandbox->calls($late)), 'GET /api.xro/2.0/Invoices', 'and does not call');
$budget->watcher->rows('SELECT pg_cancel_backend(' . $holder->pid . ')');
is($holder->wait->{state}, '57014', 'the place is free');
is($session->wait->{rows}, 't', 'and taken');
$sandbox->faults;

# ---- the same organisation ----

$node->append_conf('postgresql.conf', 'xero_fdw.max_tenants = 10');
$_->quit foreach $session, $holder, $budget;
$node->restart;
$sandbox->reset(tenants => 3, concurrency => 100);
$budget = XeroBudget->new($xero);
$session = XeroSession->new($node);
my %same = (client_id => 'same', tenant_id => $tenants[0], minute_limit => 6);
$budget->server('here', %same);
$budget->server('there', %same, tenant_id => uc $tenants[0]);
$node->safe_psql('postgres', 'CREATE DATABASE second');
my $second = XeroSession->new($node, dbname => 'second');
$second->rows(<<"SQL");
CREATE EXTENSION xero_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER xero_fdw OPTIONS (client_id 'same', tenant_id '$tenants[0]', minute_limit '6',
	api_url '${\ $sandbox->url }');
CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (access_token 'sandbox-token');
CREATE SCHEMA elsewhere;
IMPORT FOREIGN SCHEMA accounting LIMIT TO (accounts) FROM SERVER elsewhere INTO elsewhere;
SQL
is($session->rows(query($_)), 't', "a call of server $_") foreach 'here', 'there';
is($second->rows(query('elsewhere')), 't', 'and one of another database');
is(entries(), 'here 3, there 3', 'draw on one budget');
is($second->rows('SELECT server, tenant_id, calls, minute_remaining FROM xero_fdw.budget'), "elsewhere|$tenants[0]|3|3", 'that both databases show');

# Payroll is counted by Xero with all the rest.
$session->rows('CREATE SCHEMA pay; IMPORT FOREIGN SCHEMA payroll_au LIMIT TO (employees) FROM SERVER here INTO pay');
my $mark = $sandbox->mark;
is($session->rows('SELECT count(employee_id) > 0 FROM pay.employees'), 't', 'payroll');
my @payroll = $sandbox->calls($mark);
like($payroll[0], qr{^GET /payroll\.xro/}, 'is another part of Xero');
is(scalar(@payroll), 2, 'of two pages, the last of which is empty');
is(entries(), 'here 5, there 5', 'with the same budget');
$mark = $sandbox->mark;
$_->rows('SET xero_fdw.max_wait = 0') foreach $session, $second;
is($session->try(query('there'))->{state}, '00000', 'the sixth call of six');
is($second->try(query('elsewhere'))->{state}, '53400', 'the seventh, in another database');
is($session->try('SELECT count(employee_id) FROM pay.employees')->{state}, '53400', 'or of payroll');
is($session->try(query('here'))->{state}, '53400', 'or any other');
is(scalar(() = $sandbox->calls($mark)), 1, 'is not made');

# ---- all organisations of an application ----

my @app = map { "app_$_" } 0 .. 2;
$budget->server($app[$_], client_id => 'shared', tenant_id => $tenants[$_], app_minute_limit => 5) foreach 0 .. 2;
is($session->rows(query($_)), 't', "a call of $_") foreach @app, @app[ 0, 1 ];
foreach my $app (@app)
{
	$result = $session->try(query($app));
	is($result->{state}, '53400', "$app: the application's minute is spent");
	like($result->{text}, qr/Xero's limit of calls a minute for the whole application is used up for server "$app"\nDETAIL:  It opens again at/, 'message');
	is($budget->row($app, 'app_minute_remaining, minute_remaining > 0'), '0|t', 'shown');
}

$_->quit foreach $session, $second, $budget;
done_testing();
