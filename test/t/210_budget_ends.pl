# Waits for the budget that end before their time, by timeout, cancel,
# termination or a lost client: the queue moves on, and nothing is left.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroBudget;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--invoices', 300, '--minute-limit', 10_000, '--concurrency', 100 ],
	conf => "client_connection_check_interval = '100ms'", import => undef);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $budget = XeroBudget->new($xero);
my ($users, $invoices) = map { "/api.xro/2.0/$_" } 'Users', 'Invoices';

# The head of a queue goes first, then those behind it.
my @ends = ('timeout', 'cancel', 'terminate', 'lost client');

sub queries_on { return "SELECT count(user_id) > 0 FROM $_[0].users"; }

# Sessions queue one after the other, each to be ended in another way, and two
# that stay.
sub queue_up
{
	my ($server, $waiting_for) = @_;
	my %queue;
	foreach my $end (@ends, 'stays', 'stays, too')
	{
		my $session = $queue{$end} = XeroSession->new($node);
		$session->rows("SET xero_fdw.max_wait = '1h'");
		$session->rows("SET statement_timeout = '5s'") if $end eq 'timeout';
		$session->start(queries_on($server));
		ok($budget->waits($session, $waiting_for), "$server, $end: waits");
	}
	return \%queue;
}

sub end_one
{
	my ($server, $end, $session) = @_;
	my $pid = $session->pid;
	$budget->watcher->rows("SELECT pg_cancel_backend($pid)") if $end eq 'cancel';
	$budget->watcher->rows("SELECT pg_terminate_backend($pid)") if $end eq 'terminate';
	if ($end eq 'lost client')
	{
		$session->lose;
		ok($budget->until_true("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid"),
			"$server, $end: the backend ends");
		return;
	}
	my $result = $session->wait;
	is($result->{state}, $end eq 'terminate' ? '57P01' : '57014', "$server, $end: SQLSTATE")
	  or diag($result->{text});
	return if $end eq 'terminate';
	$session->rows('SET statement_timeout = 0');
	is($session->rows(queries_on('free')), 't', "$server, $end: the session goes on");
	return;
}

sub end_all
{
	my ($server, $queue) = @_;
	my $waiting = keys %$queue;
	foreach my $end (@ends)
	{
		end_one($server, $end, $queue->{$end});
		$waiting--;
		ok($budget->until_true("SELECT waiting = $waiting FROM xero_fdw.budget WHERE server = '$server'"),
			"$server, $end: $waiting wait");
	}
	return;
}

# Those that stayed get their turn, and with them only.
sub go_on
{
	my ($server, $queue) = @_;
	foreach my $end ('stays', 'stays, too')
	{
		my $result = $queue->{$end}->wait;
		is($result->{rows}, 't', "$server, $end: has its turn") or diag($result->{text});
	}
	ok($budget->is_idle($server), "$server: idle afterwards");
	$_->quit foreach values %$queue;
	return;
}

sub count_calls
{
	my ($server) = @_;
	return $budget->row($server, 'calls');
}

# ---- each wait has a queue ----

$budget->server('free', client_id => 'free');
$budget->server('minute', client_id => 'minute', minute_limit => 2);
$budget->server('refused', client_id => 'refused');
$budget->server('day', client_id => 'day');
$budget->server('places', client_id => 'places', concurrency => 1);
my %queue;

# The longest first: this one opens after a minute.
my $session = XeroSession->new($node);
is($session->rows(queries_on('minute')), 't', 'the minute is spent') for 1 .. 2;
$queue{minute} = queue_up('minute', 'budget');

# The first of these is told, and tells the others.
foreach my $limit ([ refused => 'minute', 35 ], [ day => 'day', 30 ])
{
	my ($server, $problem, $seconds) = @$limit;
	$sandbox->faults({ path => $users, problem => $problem, retry_after => $seconds, times => 1 });
	$queue{$server} = queue_up($server, 'rate limit');
	is(count_calls($server), 1, "$server: one call was refused, for all");
}

# One call is under way for long.
my $holder = XeroSession->new($node);
$sandbox->faults({ path => $invoices, delay_ms => 60_000 });
ok($budget->hold($holder, 'SELECT count(invoice_id::text) FROM places.invoices'), 'a call takes long');
$queue{places} = queue_up('places', 'budget');
is($budget->row('places', 'in_flight'), 1, 'one call is under way');
$sandbox->faults;

end_all($_, $queue{$_}) foreach 'places', 'day', 'refused', 'minute';
$budget->watcher->rows('SELECT pg_cancel_backend(' . $holder->pid . ')');
is($holder->wait->{state}, '57014', 'the one call is cancelled');
go_on($_, $queue{$_}) foreach 'places', 'day', 'refused', 'minute';
is(count_calls('places'), 3, 'places: one call for each that was not ended');
is(count_calls('day'), 3, 'day: likewise');
is(count_calls('refused'), 3, 'refused: likewise');
is(count_calls('minute'), 4, 'minute: likewise');

# ---- all waits of one backend ----

# Pages asked ahead hold places; ended in the middle, they are given back.
$budget->server('ahead', client_id => 'ahead', page_size => 10, concurrency => 3, minute_limit => 10_000);
my $all = 'SELECT count(invoice_id::text) FROM ahead.invoices';
is($session->rows($all), 300, 'thirty pages');
foreach my $end ('cancel', 'terminate', 'lost client')
{
	$sandbox->faults({ path => $invoices, after => 4, delay_ms => 60_000 });
	my $victim = XeroSession->new($node);
	$victim->start($all);
	ok($budget->waits($victim, 'network'), "ahead, $end: waits for a page");
	ok($budget->until_true("SELECT in_flight = 3 FROM xero_fdw.budget WHERE server = 'ahead'"), "ahead, $end: and two more are under way");
	end_one('ahead', $end, $victim);
	ok($budget->is_idle('ahead'), "ahead, $end: all are given back");
	$sandbox->faults;
	is($session->rows($all), 300, "ahead, $end: afterwards");
	$victim->quit;
}

# ---- a cursor that nobody fetches from ----

# What was asked ahead for it keeps its places for a few seconds, and no longer.
$budget->server('idle', client_id => 'idle', page_size => 10, concurrency => 3, minute_limit => 10_000);
$session->rows('BEGIN; SET LOCAL cursor_tuple_fraction = 1');
$session->rows('DECLARE c CURSOR FOR SELECT invoice_id FROM idle.invoices');
$sandbox->faults({ path => $invoices, after => 1, times => 2, delay_ms => 1000 });
$session->rows('FETCH 1 FROM c');
is($budget->row('idle', 'in_flight'), 2, 'a cursor has asked for two pages ahead');
$budget->watcher->rows("ALTER SERVER idle OPTIONS (SET concurrency '2')");
my $other = XeroSession->new($node);
$other->start(queries_on('idle'));
ok($budget->waits($other, 'budget'), 'there is no place for others');
is($other->wait->{rows}, 't', 'until there is');
is($budget->row('idle', 'in_flight'), 0, 'with nothing under way');
is($budget->row('idle', 'calls'), 2, 'but two calls that nobody has ended');
like($session->rows('FETCH ALL FROM c'), qr/\A(?:\S{36}\n){298}\S{36}\z/, 'the cursor still has all its rows');
$session->rows('COMMIT');
ok($budget->is_idle('idle'), 'nothing is left');
# Nor does a client that has stopped reading what it has asked for.
$budget->server('unread', client_id => 'unread', page_size => 10, concurrency => 3, minute_limit => 10_000);
$budget->prove('unread');
my $reader = XeroSession->new($node);
$sandbox->faults({ path => $invoices, after => 1, times => 2, delay_ms => 1000 });		# else they may have come before
$reader->start(q{COPY (SELECT invoice_id, repeat('x', 100000) FROM unread.invoices) TO STDOUT});
ok($budget->until_true(q{SELECT wait_event = 'ClientWrite' FROM pg_stat_activity WHERE pid = } . $reader->pid), 'a client reads no more');
ok($budget->until_true(q{SELECT in_flight > 0 FROM xero_fdw.budget WHERE server = 'unread'}), '... while calls are under way');
$budget->watcher->rows("ALTER SERVER unread OPTIONS (SET concurrency '1')");
$other->rows(q{SET xero_fdw.max_wait = '40s'});
is($other->try(queries_on('unread'))->{rows}, 't', '... which hold up others no longer');
is($budget->watcher->rows(q{SELECT wait_event FROM pg_stat_activity WHERE pid = } . $reader->pid), 'ClientWrite', '... who read nothing meanwhile');
my $lines = $reader->wait->{rows} =~ tr/\n//;
is($lines, 299, '... and gets all of it at last');

# Whoever waits for an answer keeps its place for longer than that.
$sandbox->faults({ path => $users, delay_ms => 14_000, times => 1 });
ok($budget->hold($holder, queries_on('unread')), 'a call takes long');
$other->rows(q{SET xero_fdw.max_wait = '11s'});
is($other->try(queries_on('unread'))->{state}, '53400', '... and nobody else gets its place');
is($holder->wait->{rows}, 't', '... until it is answered');
$sandbox->faults;
$_->quit foreach $session, $other, $holder, $reader, $budget;

done_testing();
