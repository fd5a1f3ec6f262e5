# Where the budget went: statistics, waits and the log; and who may see them.
use strict;
use warnings;

use List::Util qw(sum0);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroBudget;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--invoices', 300, '--minute-limit', 1000 ], import => undef);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $budget = XeroBudget->new($xero);
my $accounts = '/api.xro/2.0/Accounts';
$budget->server('xero_1', client_id => 'one', page_size => 50, minute_limit => 1000, concurrency => 4);
my $session = XeroSession->new($node);
my $query = 'SELECT count(account_id) > 0 FROM xero_1.accounts';

# ---- statistics, against what the other side has seen ----

sub is_as_xero_saw_it
{
	my ($name) = @_;
	my @log = grep { XeroSandbox::is_api_call($_) } $sandbox->log;
	my @answered = grep { $_->{status} != 429 } @log;
	is($budget->row('xero_1', 'calls, throttled, bytes_in, bytes_out'),
		join('|', scalar(@log), @log - @answered, sum0(map { $_->{bytes_out} } @answered), 0), $name);
	return;
}

is($session->rows('SELECT count(invoice_id::text) FROM xero_1.invoices'), 300, 'six pages');
is_as_xero_saw_it('calls and bytes');
$sandbox->faults({ path => $accounts, problem => 'minute', retry_after => 1, times => 2 });
is($session->rows($query), 't', 'two refusals');
is_as_xero_saw_it('and what was refused');
is($budget->row('xero_1', 'last_problem, waited_ms >= 2000'), 'minute|t', 'the limit, and how long it was waited for');
is($budget->watcher->rows("SELECT count(*) || '|' || sum(bytes_in) FROM xero_fdw.requests WHERE status = 200 AND path NOT LIKE '/conn%'"),
	$budget->row('xero_1', "(calls - throttled) || '|' || bytes_in"), 'requests and budget agree');
$sandbox->faults({ path => $accounts, status => 500, times => 1 });
$session->rows($query);
is_as_xero_saw_it('failures count');

# ---- waits ----

# EXPLAIN, the view of progress, pg_stat_activity and the log tell of one wait.
my $before = -s $node->logfile;
$session->rows("SET xero_fdw.log_min_wait = '1500ms'");
$sandbox->faults({ path => $accounts, problem => 'minute', retry_after => 2, times => 1 });
$session->start("EXPLAIN (ANALYZE, COSTS OFF) $query");
ok($budget->waits($session, 'rate limit'), 'progress tells');
is($budget->watcher->rows('SELECT wait_event_type, wait_event FROM pg_stat_activity WHERE pid = ' . $session->pid),
	$node->pg_version >= 17 ? 'Extension|XeroBudget' : 'Extension|Extension', 'so does pg_stat_activity');
my $plan = $session->wait;
is($plan->{state}, '00000', 'it ends') or diag($plan->{text});
like($plan->{rows}, qr/Xero Budget Wait: [23]\d{3}\.\d+ ms/, 'EXPLAIN tells') or diag($plan->{rows});
my $log = substr(slurp_file($node->logfile), $before);
my $tenant = ($budget->tenants)[0];
like($log, qr/LOG:  waited [23]\d{3}\.\d{3} ms for Xero's rate limits on server "xero_1"\n.*DETAIL:  The call is GET $accounts for organisation $tenant\./, 'the log tells');
foreach my $case ([ '10s', 0 ], [ -1, 0 ], [ 0, 1 ])
{
	my ($log_min_wait, $lines) = @$case;
	$before = -s $node->logfile;
	$session->rows("SET xero_fdw.log_min_wait = '$log_min_wait'");
	$sandbox->faults({ path => $accounts, problem => 'minute', retry_after => 0, times => 1 });
	$session->rows($query);
	is(scalar(() = substr(slurp_file($node->logfile), $before) =~ /LOG:  waited/g), $lines, "log_min_wait of $log_min_wait: lines");
}
$before = -s $node->logfile;
$session->rows($query);
unlike(substr(slurp_file($node->logfile), $before), qr/waited/, 'a call that did not wait is not logged');

# ---- who may see it ----

$budget->watcher->rows(<<'SQL');
CREATE ROLE alice LOGIN;
CREATE ROLE watcher LOGIN IN ROLE pg_read_all_stats;
GRANT USAGE ON SCHEMA xero_1 TO alice;
GRANT SELECT ON ALL TABLES IN SCHEMA xero_1 TO alice;
SQL
my ($alice, $watcher) = map { XeroSession->new($node, user => $_) } 'alice', 'watcher';
is($alice->rows($query), 't', 'a mere user calls');
is($alice->try('SELECT * FROM xero_fdw.budget')->{state}, '42501', 'but does not see the budget');
is($alice->try('SELECT * FROM xero_fdw._budget()')->{state}, '42501', 'nor by its function');
is($alice->try('SELECT xero_fdw.reset_stats()')->{state}, '42501', 'and does not reset it');
is($alice->try('SET xero_fdw.log_min_wait = -1')->{state}, '42501', 'nor hides waits from the log');
is($alice->rows('SET xero_fdw.priority = background; SET xero_fdw.max_wait = 5; SELECT 1'), '1', 'how it waits is its own business');
is($watcher->rows('SELECT calls > 5, tenant_id IS NOT NULL FROM xero_fdw.budget'), 't|t', 'pg_read_all_stats sees it');
is($watcher->try('SELECT xero_fdw.reset_stats()')->{state}, '42501', 'but does not reset it');

# ---- and begins anew ----

is($session->rows('SELECT xero_fdw.reset_stats()'), '', 'a superuser resets it');
is($budget->row('xero_1', "calls, throttled, bytes_in, bytes_out, waited_ms, last_problem, stats_since > now() - interval '1 min'"),
	'0|0|0|0|0||t', 'nothing was counted');
like($budget->row('xero_1', 'minute_remaining, day_remaining'), qr/^9\d\d\|49\d\d$/, 'what is left is known as before');
is($budget->watcher->rows('SELECT count(*) FROM xero_fdw.requests'), 0, 'no requests');
$budget->watcher->rows('GRANT EXECUTE ON FUNCTION xero_fdw.reset_stats() TO alice');
$session->rows($query);
is($alice->rows('SELECT xero_fdw.reset_stats()'), '', 'others may if it was granted to them');
is($budget->row('xero_1', 'calls'), 0, 'and it does');

$_->quit foreach $session, $alice, $watcher, $budget;
done_testing();
