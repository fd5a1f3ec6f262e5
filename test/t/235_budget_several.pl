# A statement over several organisations waits for all of them at once: it goes
# on with whichever has a place, and keeps its turn in the other queues.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use XeroBudget;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--tenants', 3, '--contacts', 60, '--minute-limit', 10_000, '--concurrency', 100 ],
	conf => "client_connection_check_interval = '100ms'", import => undef);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $budget = XeroBudget->new($xero);

# One call at once to each; "every" reads all three of them, page by page.
my @tenants = $budget->tenants;
my %letter;
@letter{@tenants} = qw(a b c);
my %app = (client_id => 'app', concurrency => 1, minute_limit => 10_000);
$budget->server($letter{$_}, %app, tenant_id => $_) foreach @tenants;
$xero->create_server('every', \%app);
my $session = XeroSession->new($node);
$session->rows(<<'SQL');
CREATE SCHEMA every;
IMPORT FOREIGN SCHEMA accounting LIMIT TO (contacts) FROM SERVER every INTO every;
CREATE FOREIGN TABLE every.paged (tenant_id uuid, contact_id uuid, name text) SERVER every OPTIONS (object 'accounting/Contacts', page_size '20');
SQL
my $scan = 'SELECT count(lower(name)) FROM every.paged';
is($session->rows($scan), 180, 'nine pages');
$budget->prove(values %letter);

my $mark;

# The calls since the mark: letters of organisations, or paths of one of them.
sub api_calls { return grep { XeroSandbox::is_api_call($_) } $sandbox->log($mark); }

sub letters { return join('', map { $letter{ $_->{tenant_id} } } api_calls()); }

sub paths_of { my ($letter) = @_; return join(' ', map { $_->{path} =~ s{.*/}{}r } grep { $letter{ $_->{tenant_id} } eq $letter } api_calls()); }

# Such and no other calls have been made, at last.
sub calls_become
{
	my ($expected, $name) = @_;
	for (1 .. 200)
	{
		last if length(letters()) >= length($expected);
		sleep(0.05);
	}
	is(letters(), $expected, $name);
	return;
}

# Other sessions take the only place of some organisations.
sub hold
{
	my @holders;
	foreach my $letter (@_)
	{
		$sandbox->faults({ path => '/api.xro/2.0/Invoices', delay_ms => 60_000 });
		push @holders, XeroSession->new($node);
		$budget->hold($holders[-1], "SELECT count(invoice_id::text) FROM $letter.invoices");
	}
	$sandbox->faults;
	$mark = $sandbox->mark;
	return @holders;
}

sub set_free
{
	my ($holder) = @_;
	$budget->watcher->rows('SELECT pg_cancel_backend(' . $holder->pid . ')');
	$holder->wait;
	$holder->quit;
	return;
}

sub waiting { return join(' ', map { $budget->row($_, 'waiting') } @_); }

# ---- a place in any of them ----

my ($a, $b) = hold('a', 'b');
$session->start($scan);
ok($budget->waits($session, 'budget'), 'two of three have no place');
is(letters(), 'ccc', 'the third is read');
is(waiting('a', 'b', 'c'), '1 1 0', 'it waits for both others');
set_free($b);
calls_become('cccbbb', 'the one that has a place is read');
ok($budget->waits($session, 'budget'), 'then it waits');
is(waiting('a', 'b', 'c'), '1 0 0', 'for the last');
set_free($a);
is($session->wait->{rows}, 180, 'all is read');
calls_become('cccbbbaaa', 'in nine calls');

($a, $b) = hold('a', 'b');
$session->start('SELECT count(*) FROM every.contacts');
ok($budget->waits($session, 'budget'), 'count(*) waits');
set_free($b);
calls_become('cb', 'and goes on likewise');
ok($budget->until_true("SELECT waiting = 1 FROM xero_fdw.budget WHERE server = 'a'"), 'it waits for the last');
set_free($a);
is($session->wait->{rows}, 180, 'all is counted');

# ---- in its turn ----

# It comes first; what it does meanwhile does not cost it its turn.
($a, $b) = hold('a', 'b');
$session->start($scan);
ok($budget->waits($session, 'budget'), 'it waits for two places');
my $other = XeroSession->new($node);
$other->start('SELECT count(user_id) > 0 FROM a.users');
ok($budget->waits($other, 'budget'), 'another statement waits for one of them');
set_free($b);
calls_become('cccbbb', 'the first goes on where it can');
ok($budget->waits($session, 'budget'), 'and comes back');
is(waiting('a', 'b'), '2 0', 'to the queue');
set_free($a);
is($session->wait->{rows}, 180, 'it ends');
is($other->wait->{rows}, 't', 'so does the other');
is(paths_of('a'), 'Contacts Users Contacts Contacts', 'first in, first out, and then in turn');

# ---- the wait is one ----

# Twice two seconds and up to one more, at the same time.
$session->rows("SET xero_fdw.max_wait = '3900ms'");
$sandbox->faults({ path => '/api.xro/2.0/Contacts', problem => 'minute', retry_after => 2, times => 2 });
my $result = $session->try("EXPLAIN (ANALYZE, COSTS OFF) $scan");
is($result->{state}, '00000', 'two limits at the same time are one wait') or diag($result->{text});
my ($waited) = $result->{rows} =~ /Xero Budget Wait: (\d+)/;
cmp_ok($waited, '>=', 1900, 'of both');
cmp_ok($waited, '<', 3900, 'and no more');
$session->rows('RESET xero_fdw.max_wait');
$sandbox->faults;

# ---- ended while it waits ----

foreach my $end ('cancel', 'terminate', 'lost client')
{
	($a, $b) = hold('a', 'b');
	my $victim = XeroSession->new($node);
	$victim->start($scan);
	ok($budget->waits($victim, 'budget'), "$end: waits");
	$other->start('SELECT count(user_id) > 0 FROM b.users');
	ok($budget->waits($other, 'budget'), "$end: as does another");
	is(waiting('a', 'b'), '1 2', "$end: in two queues");
	$budget->watcher->rows('SELECT pg_' . ($end eq 'cancel' ? 'cancel' : 'terminate') . '_backend(' . $victim->pid . ')') if $end ne 'lost client';
	$victim->lose if $end eq 'lost client';
	ok($budget->until_true("SELECT (SELECT waiting FROM xero_fdw.budget WHERE server = 'a') = 0 AND (SELECT waiting FROM xero_fdw.budget WHERE server = 'b') = 1"), "$end: it is in none");
	set_free($b);
	is($other->wait->{rows}, 't', "$end: the other has its turn");
	set_free($a);
	ok($budget->is_idle($_), "$end: $_ is idle") foreach 'a', 'b', 'c';
	$victim->quit;
}

$_->quit foreach $session, $other, $budget;
done_testing();
