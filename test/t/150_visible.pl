# What can be seen of the work: requests and progress, by those who may; and
# what never can: secrets.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--no-limits', '--invoices', 1000 ],
	server => { client_id => 'sandbox-client', grant_type => 'client_credentials', page_size => 100, concurrency => 2 },
	mapping => { client_secret => 'sandbox-secret' });
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
my $other = XeroSession->new($node);
my $list = '/api.xro/2.0/Invoices';
my $query = 'SELECT count(invoice_id::text), sum(total) FROM xero.invoices';

# ---- requests ----

is($other->rows('SELECT count(*) FROM xero_fdw.requests'), 0, 'no request so far');
$sandbox->faults({ path => $list, status => 503, times => 1, headers => { 'Retry-After' => 1 } });
my $rows = $session->rows($query);
my $pid = $session->pid;
is($other->rows("SELECT method, substring(path FROM '^[^?]*') || coalesce(substring(path FROM '[?&](page=[0-9]+)'), ''), status, attempt, error FROM xero_fdw.requests WHERE path !~ 'page=([2-9]|10)&' ORDER BY at"), <<"ROWS" =~ s/\n\z//r, 'each attempt with status and error');
POST|/connect/token|200|1|
GET|/connections|200|1|
GET|${list}page=1|503|1|unavailable
GET|${list}page=1|200|2|
ROWS
is($other->rows("SELECT count(*), count(DISTINCT correlation_id), min(pid), max(pid), min(role), min(server) FROM xero_fdw.requests WHERE path LIKE '$list%'"),
	"11|11|$pid|$pid|postgres|xero", 'ten pages and one retry, by whom and where');
is($other->rows("SELECT bool_and(elapsed_ms > 0 AND waited_ms >= 0 AND at <= now() AND at > now() - interval '1 minute') FROM xero_fdw.requests"), 't', 'times');
is($other->rows("SELECT bool_and(bytes_in > 0) FROM xero_fdw.requests WHERE status = 200"), 't', 'bytes of the answers');
is($other->rows("SELECT waited_ms BETWEEN 900 AND 5000 FROM xero_fdw.requests WHERE attempt = 2"), 't', 'the wait before the second attempt');
is($other->rows("SELECT sum(bytes_in) FROM xero_fdw.requests WHERE path LIKE '$list%' AND status = 200") > 0, 1, 'bytes');
is($other->rows("SELECT tenant_id IS NOT NULL FROM xero_fdw.requests WHERE path LIKE '$list%' LIMIT 1"), 't', 'organisation');

# Long queries, odd characters, other databases, dropped servers.
$session->rows("SELECT count(*) FROM xero.invoices WHERE invoice_number IN (" . join(',', map { "'INV-\"\x{27}\x{27}%&?#$_'" } 1 .. 60) . ")");
$session->rows("SELECT count(contact_id::text) FROM xero.contacts WHERE name = 'a' || chr(1) || chr(233) || chr(128512) || repeat('x', 1000)");
cmp_ok($other->rows('SELECT max(length(path)) FROM xero_fdw.requests'), '<', 300, 'queries are cut');
is($other->rows("SELECT count(*) FROM xero_fdw.requests WHERE path ~ '[[:cntrl:]]'"), 0, 'no control characters');
$node->safe_psql('postgres', 'CREATE DATABASE second');
$node->safe_psql('second', 'CREATE EXTENSION xero_fdw');
is($node->safe_psql('second', 'SELECT count(*) FROM xero_fdw.requests'), 0, 'another database sees nothing of it');

# ---- progress ----

is($other->rows('SELECT count(*) FROM xero_fdw.progress'), 0, 'no scan is running');
$sandbox->faults({ path => $list, after => 5, delay_ms => 60_000 });
$session->start($query);
ok($node->poll_query_until('postgres', "SELECT pages_done >= 4 FROM xero_fdw.progress WHERE pid = $pid"), 'a running scan shows its pages');
my $progress = $other->rows('SELECT pid, relid, phase, pages_done, pages_total, rows, bytes_in > 0, waiting_for FROM xero_fdw.progress');
like($progress, qr/^$pid\|xero\.invoices\|scan\|[45]\|10\|[45]00\|t\|network$/, 'and all about it');
is($other->rows("SELECT wait_event_type, wait_event FROM pg_stat_activity WHERE pid = $pid") =~ /^Extension\|/, 1, 'its wait event');
$other->rows("SELECT pg_cancel_backend($pid)");
is($session->wait->{state}, '57014', 'cancelled');
is($other->rows('SELECT count(*) FROM xero_fdw.progress'), 0, 'it is gone');
$sandbox->faults({ path => $list, after => 1, delay_ms => 60_000 });
$session->start('SELECT count(a.invoice_id) FROM xero.invoices a, xero.accounts b, xero.invoices c');
ok($node->poll_query_until('postgres', "SELECT count(*) > 0 FROM xero_fdw.progress WHERE pid = $pid"), 'several scans of one statement');
$other->rows("SELECT pg_terminate_backend($pid)");
is($session->wait->{state}, '57P01', 'terminated');
$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid");
is($other->rows('SELECT count(*) FROM xero_fdw.progress'), 0, 'they are gone');
$session->quit;
$sandbox->faults;

# ---- privileges ----

$other->rows(<<'SQL');
CREATE ROLE alice LOGIN;
CREATE ROLE watcher LOGIN IN ROLE pg_read_all_stats;
GRANT USAGE ON SCHEMA xero TO alice;
GRANT SELECT ON ALL TABLES IN SCHEMA xero TO alice;
SQL
my $alice = XeroSession->new($node, user => 'alice');
is($alice->rows($query), $rows, 'a user reads with the mapping for everybody');
foreach my $name ('requests', 'progress')
{
	is($alice->try("SELECT * FROM xero_fdw.$name")->{state}, '42501', "$name: not for a mere user");
	is($alice->try("SELECT * FROM xero_fdw._$name()")->{state}, '42501', "nor is its function");
}
is($alice->rows('SELECT count(*) > 0 FROM xero_fdw.objects'), 't', 'the catalogue is for all');
is($alice->rows('SELECT xero_fdw.version()') =~ /^\d+\.\d+/, 1, 'so is the version');
my $watcher = XeroSession->new($node, user => 'watcher');
is($watcher->rows("SELECT count(*) > 10, bool_or(role = 'alice') FROM xero_fdw.requests"), 't|t', 'pg_read_all_stats sees all requests');
is($watcher->rows('SELECT count(*) FROM xero_fdw.progress'), 0, 'and scans');
is($watcher->try('SELECT count(*) FROM xero.invoices')->{state}, '42501', 'but not the tables');
is($alice->rows("SELECT count(*) FROM pg_user_mappings WHERE umoptions::text LIKE '%secret%'"), 0, 'a user does not see the mapping\'s secret');
$_->quit foreach $alice, $watcher;

# ---- secrets ----

# The statement that sets a secret is the user's; it is not logged here.
$node->append_conf('postgresql.conf', "log_statement = none\nlog_min_duration_statement = -1\n");
$node->reload;
my $before = -s $node->logfile;
$node->append_conf('postgresql.conf', <<'CONF');
log_min_messages = debug5
log_min_error_statement = debug5
log_error_verbosity = verbose
debug_print_parse = on
debug_print_rewritten = on
debug_print_plan = on
log_executor_stats = on
log_lock_waits = on
CONF
$node->reload;
my $seen = '';
my $shown = sub { my ($sql) = @_; my $result = $session->try($sql); $seen .= "$result->{rows}\n$result->{text}\n"; return $result; };

$session = XeroSession->new($node, settings => '-c client_min_messages=debug5');
ok($node->poll_query_until('postgres', "SELECT current_setting('log_min_messages') = 'debug5'"), 'everything is logged');
is($shown->("EXPLAIN (ANALYZE, VERBOSE, COSTS, SETTINGS, BUFFERS, FORMAT JSON) $query")->{state}, '00000', 'EXPLAIN');
is($shown->("EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM xero.contacts WHERE name = 'x'")->{state}, '00000', 'EXPLAIN');
is($shown->($query)->{state}, '00000', 'a query');
my @faults = (
	{ path => $list, status => 400 }, { path => $list, status => 401 }, { path => $list, status => 403 },
	{ path => $list, status => 302, headers => { Location => 'https://example.com/' } },
	{ path => $list, status => 200, body => '<html>', headers => { 'Content-Type' => 'text/html' } },
	{ path => $list, status => 400, body => '{"Message": "no", "Type": "x"}' },
	{ path => $list, drop => 'before' }, { path => $list, truncate => 10 },
	{ path => '/connect/token', status => 400, body => '{"error": "invalid_client"}' },
	{ path => '/connect/token', truncate => 60 }, { path => '/connect/token', status => 500 },
	{ path => '/connect/token', status => 200, body => '{"access_token": "eyJ000000000000000000000", "expires_in": "soon"}' },
	{ path => '/connect/token', status => 200, body => '{"access_token": "eyJ000000000000000000000' },
	{ path => $list, problem => 'minute', retry_after => 2 });
foreach my $fault (@faults)
{
	if ($fault->{path} eq '/connect/token')
	{
		# a new session has no token yet
		$session->quit;
		$session = XeroSession->new($node, settings => '-c client_min_messages=debug5');
	}
	$sandbox->faults($fault);
	$session->rows('SET xero_fdw.max_wait = 1000') if $fault->{problem};
	isnt($shown->($query)->{state}, '00000', "a failure at $fault->{path}");
	$session->rows('RESET xero_fdw.max_wait');
	$sandbox->faults;
}
$sandbox->faults({ path => $list, delay_ms => 60_000 });
$session->start($query);
$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM xero_fdw.progress WHERE waiting_for = 'network'");
$seen .= $node->safe_psql('postgres', 'TABLE pg_stat_activity; TABLE xero_fdw.progress; TABLE xero_fdw.requests');
$other->rows('SELECT pg_log_backend_memory_contexts(' . $session->pid . ')');
$other->rows('SELECT pg_cancel_backend(' . $session->pid . ')');
$session->wait;
$sandbox->faults;
is($shown->($query)->{state}, '00000', 'a query at last');
$seen .= $other->rows('SELECT array_agg(r::text) FROM xero_fdw.requests r');
$seen .= $other->rows("SELECT string_agg(srvoptions::text, ' ') FROM pg_foreign_server");
$session->quit;
$other->quit;

my $log = substr(PostgreSQL::Test::Utils::slurp_file($node->logfile), $before);
like($log, qr/DEBUG:.*\n/, 'the log is verbose');
like($log, qr/FOREIGNSCAN/, 'and has plans');
like($seen, qr/DEBUG:/, 'so are the messages to the client');
my @authorizations = grep { defined } map { $_->{headers}{authorization} } $sandbox->log;
my %tokens = map { (split ' ')[1] => 1 } @authorizations;
cmp_ok(scalar(keys %tokens), '>', 2, 'tokens were fetched and sent');
foreach my $secret ('sandbox-secret', 'sandbox-token', 'c2FuZGJveC1', keys %tokens)
{
	my $name = substr($secret, 0, 8);
	is(index($log, $secret), -1, "no \"$name...\" in the log");
	is(index($seen, $secret), -1, "no \"$name...\" shown to anybody");
}
unlike($log, qr/\beyJ/, 'nothing that looks like a token in the log');
unlike($seen, qr/\beyJ/, 'nor shown');
ok((grep { /^Bearer eyJ/ } @authorizations), 'as tokens do');
unlike("$log$seen", qr/Authorization|Bearer/, 'no header either');

done_testing();
