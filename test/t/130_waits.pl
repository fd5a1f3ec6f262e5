# Every wait ends at once when the statement is cancelled, times out or its
# session is terminated, and nothing is left: no transfer, no grant, no
# descriptor, no memory.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use XeroSession;
use XeroTest;
use XeroWire;

# Generous: a busy machine is no reason to fail, a wait that is not ended is.
my $PROMPT = 2;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--no-limits', '--invoices', 1000 ],
	server => { client_id => 'sandbox-client', grant_type => 'client_credentials', page_size => 50 },
	mapping => { client_secret => 'sandbox-secret' });
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $tenant = $xero->psql('SELECT tenant_id FROM xero.accounts LIMIT 1');
$xero->psql("ALTER SERVER xero OPTIONS (ADD tenant_id '$tenant')");
my $list = '/api.xro/2.0/Invoices';
my $query = 'SELECT count(invoice_id::text), sum(total) FROM xero.invoices';
my $session = XeroSession->new($node);
my $other = XeroSession->new($node);
my $rows = $session->rows($query);
like($rows, qr/^1000\|/, 'twenty pages');

# Wait until the other session sees something; false after a while.
sub until_true
{
	my ($sql) = @_;
	for (1 .. 200)
	{
		return 1 if $other->rows($sql) eq 't';
		sleep(0.05);
	}
	return 0;
}

sub waiting_for
{
	my ($pid, $what) = @_;
	return until_true("SELECT count(*) > 0 FROM xero_fdw.progress WHERE pid = $pid AND waiting_for = '$what'");
}

# What every wait must stand: a fault that makes the backend wait, what the
# view of progress then says, and how to bring the backend into that state.
my %waits = (
	network => { 'first page' => { path => $list, delay_ms => 60_000 },
		'page in the middle' => { path => $list, after => 7, delay_ms => 60_000 },
		'all pages ahead' => { path => $list, after => 1, delay_ms => 60_000 },
		'body that drips' => { path => $list, drip_ms => 3_000 } },
	token => { 'token' => { path => '/connect/token', delay_ms => 60_000 } },
	retry => { 'Retry-After of a 503' => { path => $list, status => 503, headers => { 'Retry-After' => 60 } } },
	'rate limit' => {
		# short, because all who call wait until then
		'limit' => { path => $list, problem => 'minute', retry_after => 2 },
		'limit in the middle' => { path => $list, after => 5, problem => 'minute', retry_after => 2 } });
foreach my $what (sort keys %waits)
{
	foreach my $name (sort keys %{ $waits{$what} })
	{
		foreach my $how ('timeout', 'cancel', 'terminate')
		{
			$session = XeroSession->new($node)
			  if $what eq 'token' || !defined $session;
			$session->rows($query) unless $what eq 'token';
			my $open = $session->descriptors;
			my $pid = $session->pid;
			$sandbox->faults($waits{$what}{$name});
			$session->rows("SET statement_timeout = " . ($how eq 'timeout' ? 300 : 0));
			$session->start($query);
			ok(waiting_for($pid, $what), "$name, $how: waits for $what") unless $how eq 'timeout';
			my $began = time;
			$other->rows("SELECT pg_cancel_backend($pid)") if $how eq 'cancel';
			$other->rows("SELECT pg_terminate_backend($pid)") if $how eq 'terminate';
			my $result = $session->wait;
			is($result->{state}, $how eq 'terminate' ? '57P01' : '57014', "$name, $how: SQLSTATE") or diag($result->{text});
			cmp_ok($how eq 'timeout' ? $result->{seconds} - 0.3 : time - $began, '<', $PROMPT, "$name, $how: at once");
			$sandbox->faults;
			is($other->rows('SELECT count(*) FROM xero_fdw.progress'), 0, "$name, $how: no scan is running")
			  or diag($other->rows('SELECT * FROM xero_fdw.progress'));
			if ($how eq 'terminate')
			{
				$session->quit;
				undef $session;
				next;
			}
			cmp_ok($session->descriptors, '<=', $open + 6, "$name, $how: descriptors");
			$session->rows('RESET statement_timeout');
			is($session->rows($query), $rows, "$name, $how: afterwards");
		}
	}
}
$session //= XeroSession->new($node);

# The calls that were cut are in the log as such.
cmp_ok($other->rows("SELECT count(*) FROM xero_fdw.requests WHERE error = 'abandoned' AND status IS NULL"), '>=', 20, 'abandoned calls are logged');

# ---- with one call at a time, a grant that is not given back is a hang ----

$session->rows("ALTER SERVER xero OPTIONS (ADD concurrency '1')");
$session->rows("SET statement_timeout = 100");
foreach my $fault ({ path => $list, delay_ms => 60_000 }, { path => $list, after => 3, delay_ms => 60_000 },
	{ path => $list, status => 503, headers => { 'Retry-After' => 9 } }, { path => $list, drop => 'before' })
{
	$sandbox->faults($fault);
	is($session->try($query)->{state}, '57014', 'ended') for 1 .. 3;
}
$sandbox->faults;
$session->rows('RESET statement_timeout');
is($session->rows($query), $rows, 'all grants were given back');
$session->rows("ALTER SERVER xero OPTIONS (DROP concurrency)");

# ---- LIMIT, cursors and errors abandon what was requested ahead ----

# Calls that were abandoned before may still be on their way, and must not be
# taken for the first page.
sub only_first_page
{
	sleep(0.5);
	$sandbox->faults({ path => $list, after => 1, delay_ms => 60_000 });
	return;
}

only_first_page();
my $result = $session->try('SELECT 1 / (CASE WHEN invoice_id IS NULL THEN 1 ELSE 0 END) FROM xero.invoices');
is($result->{state}, '22012', 'an error of the statement while pages are under way');
cmp_ok($result->{seconds}, '<', $PROMPT, 'ends it at once');
only_first_page();
is($session->rows('SELECT count(*) FROM (SELECT invoice_id FROM xero.invoices LIMIT 20) i'), 20, 'LIMIT needs no more pages');
only_first_page();
$session->rows('BEGIN; DECLARE c CURSOR FOR SELECT invoice_id FROM xero.invoices');
isnt($session->rows('FETCH 10 FROM c'), '', 'a cursor reads from the first page');
$session->rows('CLOSE c; COMMIT');
only_first_page();
$session->rows('BEGIN; DECLARE c CURSOR FOR SELECT invoice_id FROM xero.invoices; FETCH 10 FROM c');
$session->rows('SAVEPOINT s');
$session->rows("SET LOCAL statement_timeout = 200");
is($session->try('FETCH 100 FROM c')->{state}, '57014', 'a cursor is cancelled');
$session->rows('ROLLBACK TO s');
is($session->try('FETCH 1 FROM c')->{state}, '55000', 'and cannot be used again');
$session->rows('ROLLBACK');
$sandbox->faults;
is($session->rows($query), $rows, 'afterwards');
$session->rows(<<'SQL');
CREATE FUNCTION tolerant(wanted text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	IF wanted = 'limited' THEN
		PERFORM count(invoice_id::text) FROM limited.invoices;
	ELSE
		PERFORM count(invoice_id::text) FROM xero.invoices;
	END IF;
	RETURN 'read';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE;
END $$
SQL

# ---- fifty failures of each kind leave nothing ----

$xero->create_server('limited', { client_id => 'app', tenant_id => $tenant });
$xero->psql('CREATE SCHEMA limited; IMPORT FOREIGN SCHEMA accounting LIMIT TO (invoices) FROM SERVER limited INTO limited');

$session->quit;
$session = XeroSession->new($node);
$session->rows($query);
$session->rows('SET xero_fdw.max_wait = 0');
my @faults = (
	{ path => $list, status => 400 }, { path => $list, after => 3, status => 400 },
	{ path => $list, status => 200, body => '{"Invoices": [{"InvoiceID": "x"}]}' },
	{ path => $list, status => 200, body => '{"Invoices": [{' . '"Total": 1,' x 20_000 . '"x" 1}]}' },
	{ path => $list, huge => 3 * 1024**3 });
my ($open, $resident);
foreach my $round (0 .. 50)
{
	foreach my $fault (@faults)
	{
		$sandbox->faults($fault);
		my $state = $session->rows("SELECT tolerant('')");
		fail("round $round: $state") if $state !~ /^(HV00L|22P02)$/;
	}
	# each round a new application, since a limit stays in force for the last
	$sandbox->faults({ path => $list, problem => 'minute' });
	$session->rows("ALTER SERVER limited OPTIONS (SET client_id 'app $round')");
	my $state = $session->rows("SELECT tolerant('limited')");
	fail("round $round: $state") if $state ne '53400';
	$sandbox->faults;
	next if $round != 5;
	($open, $resident) = ($session->descriptors, $session->memory('VmRSS'));
}
# a few more or fewer connections may be kept; a leak would be hundreds
cmp_ok($session->descriptors, '<=', $open + 20, 'descriptors after 300 failures');
$session->memory_below('VmRSS', $resident + 3_000, 'memory after 300 failures');
$session->rows('RESET xero_fdw.max_wait');
is($session->rows($query), $rows, 'afterwards');

# ---- so do three hundred statements ----

$session->rows('DO $$ BEGIN FOR i IN 1 .. 20 LOOP EXECUTE \'SELECT count(account_id) FROM xero.accounts\'; END LOOP; END $$');
$resident = $session->memory('VmRSS');
$session->rows('DO $$ BEGIN FOR i IN 1 .. 300 LOOP EXECUTE \'SELECT count(account_id) FROM xero.accounts\'; END LOOP; END $$');
$session->memory_below('VmRSS', $resident + 3_000, 'memory after 300 statements');

# ---- rescans ----

my $key = $session->rows('SELECT min(invoice_id::text) FROM xero.invoices');
$session->rows('SET jit = off');	# which is tens of megabytes of its own
$session->rows(<<"SQL");
CREATE TABLE keys AS SELECT invoice_id, row_number() OVER () AS n FROM xero.invoices;
ANALYZE keys;
CREATE FUNCTION lookups(wanted bigint) RETURNS bigint LANGUAGE sql AS \$\$
	SELECT count(i.total) FROM keys k, LATERAL (SELECT total FROM xero.invoices i WHERE i.invoice_id = k.invoice_id OFFSET 0) i WHERE k.n <= wanted
\$\$;
SQL
my $mark = $sandbox->mark;
is($session->rows('SELECT lookups(100)'), 100, 'a hundred look-ups in one scan');
is(scalar($sandbox->calls($mark)), 40, 'take no more than twice the calls of the list');
$resident = $session->memory('VmRSS');
is($session->rows('SELECT lookups(400)'), 400, 'four hundred');
$session->memory_below('VmRSS', $resident + 3_000, 'memory after 400 rescans');
$mark = $sandbox->mark;
$resident = $session->memory('VmRSS');
is($session->rows('SELECT sum((SELECT count(a.account_id) FROM xero.accounts a WHERE a.name > \'\' || substr(g::text, 9))) > 0 FROM generate_series(1, 3000) g'), 't',
	'three thousand rescans with the same requests');
is(scalar($sandbox->calls($mark)), 1, 'are one call');
$session->memory_below('VmRSS', $resident + 4_000, 'memory after them');

$_->quit foreach $session, $other;
done_testing();
