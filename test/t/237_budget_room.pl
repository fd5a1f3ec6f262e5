# With more organisations than xero_fdw.max_tenants fewer are read at the same
# time: who finds no room waits for it, in turn, and nobody waits for ever.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroBudget;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--tenants', 12, '--contacts', 60, '--minute-limit', 10_000 ],
	conf => 'xero_fdw.max_tenants = 5', import => undef);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $budget = XeroBudget->new($xero);
my @tenants = sort $budget->tenants;
my %app = (client_id => 'app', minute_limit => 10_000);
$budget->server("s$_", %app, tenant_id => $tenants[$_]) foreach 0 .. 11;
$xero->create_server('every', \%app);
my $session = XeroSession->new($node);
$session->rows(<<'SQL');
CREATE SCHEMA every;
IMPORT FOREIGN SCHEMA accounting LIMIT TO (accounts, contacts, invoices) FROM SERVER every INTO every;
CREATE FOREIGN TABLE every.paged (tenant_id uuid, contact_id uuid, name text) SERVER every OPTIONS (object 'accounting/Contacts', page_size '20');
SQL
my $scan = 'SELECT count(lower(name)), count(DISTINCT contact_id), count(DISTINCT tenant_id) FROM every.paged';
my $mark;

sub calls { return scalar(() = $sandbox->calls($mark)); }

sub refused { return scalar grep { $_->{status} == 429 } $sandbox->log($mark); }

# Nothing is under way, and nobody waits, in all entries.
sub all_idle
{
	my ($name) = @_;
	ok($budget->until_true('SELECT coalesce(sum(in_flight) + sum(waiting), 0) = 0 FROM xero_fdw.budget'), "$name: all is idle");
	return;
}

# Sessions that have a call under way to each of these organisations, which
# leaves four at once to others.
sub hold
{
	my @holders;
	$sandbox->faults({ path => '/api.xro/2.0/Invoices', delay_ms => 100_000 });
	foreach my $n (@_)
	{
		push @holders, XeroSession->new($node);
		$holders[-1]->rows("SELECT count(account_id) FROM every.accounts WHERE tenant_id = '$tenants[$n]'");
		$holders[-1]->start("SELECT count(invoice_id::text) FROM every.invoices WHERE tenant_id = '$tenants[$n]'");
		$budget->waits($holders[-1], 'network');
	}
	$mark = $sandbox->mark;
	return @holders;
}

sub set_free
{
	foreach my $holder (@_)
	{
		$budget->watcher->rows('SELECT pg_cancel_backend(' . $holder->pid . ')');
		$holder->wait;
		$holder->quit;
	}
	return;
}

# ---- by itself ----

foreach my $case (
	[ $scan, '720|720|12', 36, 'a scan' ],
	[ 'SELECT count(*) FROM every.contacts', 720, 12, 'count(*)' ],
	[ 'SELECT count(*) FROM (SELECT name FROM every.paged ORDER BY name LIMIT 30) AS first', 30, undef, 'the first of all' ],
	[ 'SELECT count(*) FROM (SELECT name FROM every.paged LIMIT 45) AS first', 45, undef, 'some of all' ],
	[ 'SELECT count(*) FROM every.paged a JOIN every.paged b USING (tenant_id, contact_id)', 720, 36, 'a join' ])
{
	my ($sql, $rows, $calls, $name) = @$case;
	$mark = $sandbox->mark;
	my $result = $session->try($sql);
	is($result->{rows}, $rows, "$name: rows") or diag($result->{text});
	is(calls(), $calls, "$name: each page once") if defined $calls;
	is(refused(), 0, "$name: nothing is refused");
	all_idle($name);
}
is($budget->watcher->rows('SELECT count(DISTINCT tenant_id) <= 5 FROM xero_fdw.budget'), 't', 'never more than there is room for');

# ---- beside others ----

my @crowd = map { XeroSession->new($node) } 1 .. 8;
$mark = $sandbox->mark;
$_->start($scan) foreach @crowd;
my %outcome;
$outcome{ $_->wait->{rows} }++ foreach @crowd;
is_deeply(\%outcome, { '720|720|12' => 8 }, 'eight sessions read all');
is(calls(), 8 * 36, '... each page once for each');
is(refused(), 0, '... and nothing is refused');
all_idle('eight sessions');
$_->quit foreach @crowd;

my @holders = hold(0 .. 4);
$session->start($scan);
ok($budget->waits($session, 'budget'), 'where all entries are in use, it waits');
is(calls(), 15, '... when what has an entry is read');
set_free(shift @holders);
is($session->wait->{rows}, '720|720|12', 'one entry is enough for all others');
is(calls(), 36, '... page by page');
set_free(@holders);
all_idle('one entry');

# ---- the wait has an end ----

@holders = hold(0 .. 4);
$session->rows(q{SET xero_fdw.max_wait = '700ms'});
my $result = $session->try('SELECT count(account_id) FROM s7.accounts');
is($result->{state}, '53400', 'it fails at last');
like($result->{text}, qr/too many organisations of Xero are in use at once for server "s7"\nDETAIL:  The statement has waited for as long as xero_fdw\.max_wait \(700 ms\) allows\.\nHINT:  Raise xero_fdw\.max_tenants and restart the server, or raise xero_fdw\.max_wait\./, '... with a message');
cmp_ok($result->{seconds}, '>=', 0.7, '... and not sooner');
is(calls(), 0, '... without a call');
$session->rows('RESET xero_fdw.max_wait');

# First in, first out; who gives up makes the next the first.
my ($first, $second, $third) = map { XeroSession->new($node) } 1 .. 3;
my $n = 7;
foreach my $waiter ($first, $second, $third)
{
	$waiter->start('SELECT count(account_id) > 0 FROM s' . $n++ . '.accounts');
	ok($budget->waits($waiter, 'budget'), "s$n waits for room");
}
$budget->watcher->rows('SELECT pg_cancel_backend(' . $first->pid . ')');
is($first->wait->{state}, '57014', 'the first gives up');
set_free(shift @holders);
is($_->wait->{rows}, 't', 'the others have their turn, one after the other') foreach $second, $third;
is(join(' ', map { $_->{tenant_id} } grep { XeroSandbox::is_api_call($_) } $sandbox->log($mark)), "$tenants[8] $tenants[9]", '... in order');
set_free(@holders);
$_->quit foreach $first, $second, $third;
all_idle('in turn');

# ---- who keeps an entry ----

# A cursor that is not fetched from keeps its places until they are lost.
$sandbox->faults({ path => '/api.xro/2.0/Contacts', after => 1, delay_ms => 600 });
$session->rows('BEGIN; SET LOCAL cursor_tuple_fraction = 1; DECLARE c CURSOR FOR SELECT contact_id FROM every.paged; MOVE 1 FROM c');
is($budget->watcher->rows('SELECT count(DISTINCT tenant_id) FROM xero_fdw.budget WHERE in_flight > 0'), 5, 'a cursor has all entries');
$sandbox->faults;
my $other = XeroSession->new($node);
$other->start('SELECT count(account_id) > 0 FROM s11.accounts');
ok($budget->waits($other, 'budget'), 'another session waits');
is($other->wait->{rows}, 't', '... until the places are lost');
is($session->rows('MOVE ALL FROM c'), '', 'the cursor goes on');
$session->rows('COMMIT');
all_idle('a cursor');

# Who calls without a pause does not keep it from others.
$session->rows('CREATE FUNCTION work(query text, calls integer) RETURNS void LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1 .. calls LOOP EXECUTE query; END LOOP; END $$');
my @busy = map { XeroSession->new($node) } 0 .. 4;
$busy[$_]->start("SELECT work('SELECT count(account_id) FROM s$_.accounts', 300)") foreach 0 .. 4;
ok($budget->until_true('SELECT count(DISTINCT tenant_id) = 5 FROM xero_fdw.budget WHERE calls > 3 AND server IN (' . join(', ', map { "'s$_'" } 0 .. 4) . ')'), 'all entries are busy');
is($other->rows("SELECT count(account_id) > 0 FROM s$_.accounts"), 't', "s$_ has its turn") foreach 5 .. 8;
is($budget->watcher->rows('SELECT count(*) FROM pg_stat_activity WHERE pid IN (' . join(', ', map { $_->pid } @busy) . ") AND state = 'active'"), 5, 'while the others go on');
is($_->wait->{state}, '00000', '... to their end') foreach @busy;
all_idle('without a pause');

$_->quit foreach @busy, $session, $other, $budget;
done_testing();
