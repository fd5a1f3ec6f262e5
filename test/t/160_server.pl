# The server around it: without preloading, over restarts, and when a backend
# is killed.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--no-limits', '--invoices', 500 ],
	server => { page_size => 50 },
	conf => "restart_after_crash = on\nxero_fdw.max_wait = '7s'\nxero_fdw.request_log_size = 20");
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $list = '/api.xro/2.0/Invoices';
my $query = 'SELECT count(invoice_id::text), sum(total) FROM xero.invoices';
my $rows = $xero->psql($query);
like($rows, qr/^500\|/, 'ten pages');

# ---- settings ----

my $session = XeroSession->new($node);
$session->rows("LOAD 'xero_fdw'");
is($session->rows('SHOW xero_fdw.max_wait'), '7s', 'a setting of the configuration file');
is($session->try("SET xero_fdw.max_wait = '-1'")->{state}, '22023', 'no negative wait');
is($session->try('SET xero_fdw.max_calls = -1')->{state}, '22023', 'no negative number of calls');
is($session->try('SET xero_fdw.request_log_size = 5')->{state}, '55P02', 'the log has its size from the start');
is($session->try('SET xero_fdw.nonsense = 5')->{state}, '42602', 'unknown settings are refused');
$session->rows($query) for 1 .. 3;
is($session->rows('SELECT count(*) FROM xero_fdw.requests'), 20, 'the log is a ring');
is($session->rows('SELECT count(*) FROM xero_fdw.requests WHERE pid = pg_backend_pid()'), 20, 'with the latest');

# ---- restart ----

$session->quit;
$node->restart;
is($xero->psql('SELECT count(*) FROM xero_fdw.requests'), 0, 'a restart empties the log');
is($xero->psql($query), $rows, 'and scans go on');
$node->stop('immediate');
$node->start;
is($xero->psql($query), $rows, 'so after an immediate stop');

# A scan does not hold up a shutdown.
$session = XeroSession->new($node);
$sandbox->faults({ path => $list, after => 3, delay_ms => 60_000 });
$session->start($query);
$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM xero_fdw.progress WHERE waiting_for = 'network'");
my $began = time;
$node->stop('fast');
cmp_ok(time - $began, '<', 20, 'a fast stop in the middle of a scan');
is($session->wait->{state}, '57P01', 'ends the scan');
$session->quit;
$sandbox->faults;
$node->start;
is($xero->psql($query), $rows, 'afterwards');

# ---- a backend is killed ----

foreach my $victim ('a scan', 'an idle session')
{
	$session = XeroSession->new($node);
	my $witness = XeroSession->new($node);
	$session->rows($query);
	$sandbox->faults({ path => $list, after => 3, delay_ms => 60_000 });
	if ($victim eq 'a scan')
	{
		$session->start($query);
		$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM xero_fdw.progress WHERE waiting_for = 'network'");
	}
	kill 'KILL', $session->pid;
	isnt($session->try('SELECT 1')->{state} // '', '00000', "$victim is killed") if $victim ne 'a scan';
	is($session->wait->{state}, undef, "$victim is killed") if $victim eq 'a scan';
	# Until the postmaster has noticed, sessions begin that it then ends.
	for (1 .. 100)
	{
		last unless kill 0, $witness->pid;
		select(undef, undef, undef, 0.1);
	}
	$_->quit foreach $session, $witness;
	$sandbox->faults;
	ok($node->poll_query_until('postgres', 'SELECT true'), "$victim: the server recovers");
	is($xero->psql($query), $rows, "$victim: and reads");
	is($xero->psql('SELECT count(*) FROM xero_fdw.progress'), 0, "$victim: no scan is left over");
	is($xero->psql('SELECT count(*) > 0 FROM xero_fdw.requests'), 't', "$victim: requests are logged again");
}

# ---- others wait for a waiting scan no longer than for any backend ----

$node->safe_psql('postgres', 'CREATE DATABASE bystander');
$session = XeroSession->new($node);
$sandbox->faults({ path => $list, after => 3, delay_ms => 60_000 });
$session->start($query);
$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM xero_fdw.progress WHERE waiting_for = 'network'");
$began = time;
$node->safe_psql('postgres', 'DROP DATABASE bystander');
cmp_ok(time - $began, '<', 20, 'DROP DATABASE while a scan waits');

# The postmaster dies: a waiting scan does not outlive it.
my $pid = $session->pid;
$node->kill9;
for (1 .. 100) { last unless kill 0, $pid; select(undef, undef, undef, 0.1); }
ok(!kill(0, $pid), 'a scan ends when the postmaster dies');
$session->quit;
$sandbox->faults;
$node->start;
is($xero->psql($query), $rows, 'afterwards');

# ---- many scans at once, more than there are slots to show them ----

my $many = join(' UNION ALL ', map { "SELECT count(*) FROM (SELECT name FROM xero.accounts WHERE name <> 'x$_' OFFSET 0) a$_" } 1 .. 80);
is($xero->psql("SELECT count(*) FROM ($many) m"), 80, 'eighty scans in one statement');
$many = join(' CROSS JOIN ', map { "xero.organisation o$_" } 1 .. 100);
is($xero->psql("SET join_collapse_limit = 1; SELECT count(*) FROM $many"), 1, 'a hundred scans open at once');

# ---- the extension comes and goes ----

is(($xero->error_of('DROP EXTENSION xero_fdw'))[0], '2BP01', 'tables depend on it');
$session = XeroSession->new($node);
$session->rows($query);
$session->rows('DROP EXTENSION xero_fdw CASCADE');
is($session->rows('SELECT 1'), 1, 'it is dropped in a session that used it');
$session->quit;
$node->safe_psql('postgres', 'DROP SCHEMA xero CASCADE; CREATE EXTENSION xero_fdw');
$xero->create_server('xero');
$xero->import_schema('accounting');
is($xero->psql($query), $rows, 'and made anew');

# ---- without preloading ----

$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->restart;
SKIP:
{
	skip 'PostgreSQL 17 needs no preloading', 9 if $node->pg_version >= 17;
	foreach my $sql ($query, 'SELECT name FROM xero.accounts LIMIT 1', 'SELECT * FROM xero_fdw.requests', 'SELECT * FROM xero_fdw.progress')
	{
		my ($state, $text) = $xero->error_of($sql);
		is($state, '55000', "not preloaded: $sql");
		like($text, qr/xero_fdw must be loaded via shared_preload_libraries\nHINT:  Add xero_fdw to shared_preload_libraries and restart the server\./, 'message');
	}
	isnt($xero->psql('EXPLAIN SELECT name FROM xero.accounts'), '', 'EXPLAIN does without');
}
is($xero->psql('SELECT count(*) > 30 FROM xero_fdw.objects'), 't', 'so does the catalogue');
$node->safe_psql('postgres', 'CREATE DATABASE second');
$node->safe_psql('second', 'CREATE EXTENSION xero_fdw');
$node->safe_psql('second', "CREATE SERVER s FOREIGN DATA WRAPPER xero_fdw OPTIONS (client_id 'x'); IMPORT FOREIGN SCHEMA accounting FROM SERVER s INTO public");
isnt($node->safe_psql('second', "SELECT obj_description('invoices'::regclass)"), '', 'CREATE EXTENSION and IMPORT FOREIGN SCHEMA with its comments');
is($node->safe_psql('second', "LOAD 'xero_fdw'; SHOW xero_fdw.max_wait"), '7s', 'settings, too');
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'xero_fdw'");
$node->restart;
is($xero->psql($query), $rows, 'preloaded again');

done_testing();
