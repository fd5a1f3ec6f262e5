# Sixteen sessions and another program share what Xero allows: nobody is
# refused who could have known, nothing is left unused, and all get on equally.
#
# Xero's texts describe a rolling and a fixed minute: two sandboxes, one of each
# kind, at the same time.
use strict;
use warnings;

use List::Util qw(max min);
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);
use XeroBudget;
use XeroSandbox;
use XeroSession;
use XeroTest;

my ($SESSIONS, $CALLS, $LIMIT) = (16, 20, 300);

# Others make a third of the calls, one at a time.  Xero counts those among the
# five at once, which nobody can know, so four are ours.
my ($OTHERS, $PLACES) = ($LIMIT / 3, 4);

sub new_sandbox
{
	return XeroSandbox->new('--seed', 1, '--minute-limit', $LIMIT, '--window', $_[0]);
}

my %sandbox = map { $_ => new_sandbox($_) } 'rolling', 'fixed';
my $xero = XeroTest->new(sandbox => $sandbox{rolling}, import => undef);
my %budget = map { $_ => XeroBudget->new($xero, sandbox => $sandbox{$_}) } keys %sandbox;
my ($tenant) = $budget{rolling}->tenants;
foreach my $window (keys %budget)
{
	$budget{$window}->server($window, client_id => $window, minute_limit => $LIMIT,
		concurrency => $PLACES, tenant_id => $tenant);
}
$xero->psql(<<'SQL');
CREATE FUNCTION work(server text, calls integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	rows bigint;
	total bigint := 0;
BEGIN
	FOR i IN 1 .. calls LOOP
		EXECUTE format('SELECT count(account_id) FROM %I.accounts', server) INTO rows;
		total := total + rows;
	END LOOP;
	RETURN total;
END $$
SQL

# ---- the others ----

# Up to now they have called for a minute, at the same pace as they will.  (The
# sandbox's clock makes that a matter of seconds.)  Where minutes are fixed, one
# has just begun and they have made their calls of it: what is left of one in
# which we begin nobody can tell, so how much of it we use would be luck.
sub call_for_a_minute
{
	my ($window) = @_;
	if ($window eq 'fixed')
	{
		my ($left, $before) = (0, $LIMIT);
		until ($left > $before)
		{
			$sandbox{fixed}->clock(0.25);
			$before = $left;
			$left = $budget{fixed}->outsider($tenant);
		}
	}
	for (1 .. $OTHERS)
	{
		$sandbox{rolling}->clock(60 / $OTHERS) if $window eq 'rolling';
		$budget{$window}->outsider($tenant);
	}
	return;
}

my @outsiders;

sub go_on_calling
{
	my ($window) = @_;
	my $pid = fork() // die "could not fork: $!";
	if ($pid != 0)
	{
		push @outsiders, $pid;
		return;
	}
	$SIG{TERM} = sub { POSIX::_exit(0) };
	my $next = time;
	while (1)
	{
		$budget{$window}->outsider($tenant);
		$next += 60 / $OTHERS;
		sleep(max(0, $next - time));
	}
}

# A test that dies leaves nobody behind.
END { local $?; kill 'TERM', @outsiders; waitpid($_, 0) foreach @outsiders; }

my %sessions = map { $_ => [ map { XeroSession->new($xero->node) } 1 .. $SESSIONS ] } keys %sandbox;
call_for_a_minute($_) foreach 'rolling', 'fixed';

# Our calls take as long as Xero's do, so that a burst of them is no instant.
$_->faults({ path => '/api.xro/2.0/Accounts', delay_ms => 100 }) foreach values %sandbox;
go_on_calling($_) foreach keys %sandbox;

# ---- the work ----

foreach my $window (keys %sandbox)
{
	$_->start("SELECT work('$window', $CALLS)") foreach @{ $sessions{$window} };
}
foreach my $window (sort keys %sandbox)
{
	my @results = map { $_->wait } @{ $sessions{$window} };
	is(scalar(grep { $_->{state} eq '00000' } @results), $SESSIONS, "$window: all have done their work")
	  or diag(map { $_->{text} } @results);
	my %different = map { $_->{rows} => 1 } @results;
	is(scalar(keys %different), 1, "$window: with the same result");
	is((keys %different)[0] % $CALLS, 0, "$window: that of all calls");
}
kill 'TERM', @outsiders;
waitpid($_, 0) foreach splice @outsiders;

# ---- how it went ----

sub is_outsiders { return ($_[0]{headers}{'user-agent'} // '') =~ /outsider/; }

# Refused calls that would have been refused without the calls that others made
# since Xero last told us what is left.
sub refused_for_our_own
{
	my ($log) = @_;
	my $own = 0;
	foreach my $call (grep { $_->{status} == 429 && !is_outsiders($_) } @$log)
	{
		my $told = max(0, map { $_->{at} }
			  grep { !is_outsiders($_) && $_->{status} == 200 && $_->{at} < $call->{at} } @$log);
		$own++ unless grep { is_outsiders($_) && $_->{status} == 200 && $_->{at} >= $told && $_->{at} <= $call->{at} } @$log;
	}
	return $own;
}

# A client in our place that knows all, and is as fast as we are when nothing is
# in the way; the others' calls are as they were.  Returns the times of its
# calls, and how many calls anybody has made until "until".
sub ideal_client
{
	my ($window, $since, $until, $pace, @others) = @_;
	# this was the first call of the fixed minute
	my $began = $others[0]{at};
	foreach my $i (1 .. $#others)
	{
		$began = $others[$i]{at} if $others[$i]{at} < $since && $others[$i]{at} > $others[ $i - 1 ]{at} + 0.2;
	}
	my (@counted, @own);
	my $made = 0;
	for (my $now = $since; $now <= $until; $now += $pace)
	{
		while (@others && $others[0]{at} <= $now)
		{
			my $at = (shift @others)->{at};
			push @counted, $at;
			$made++ if $at >= $since;
		}
		my $edge = $window eq 'rolling' ? $now - 60 : $began + 60 * POSIX::floor(($now - $began) / 60) - 0.001;
		@counted = grep { $_ > $edge } @counted;
		next if @counted >= $LIMIT;
		push @counted, $now;
		push @own, $now;
		$made++;
	}
	return ($made, @own);
}

foreach my $window (sort keys %sandbox)
{
	my @log = grep { XeroSandbox::is_api_call($_) } $sandbox{$window}->log;
	my @others = grep { is_outsiders($_) && $_->{status} == 200 } @log;
	my @own = grep { !is_outsiders($_) } @log;
	my @served = grep { $_->{status} == 200 } @own;
	my $refused = @own - @served;
	is(scalar(@served), $SESSIONS * $CALLS, "$window: calls that were served");
	is(scalar(grep { $_->{status} == 429 } @own), $refused, "$window: no other failures");
	is(refused_for_our_own(\@log), 0, "$window: none was refused for what we could have known");
	cmp_ok($refused, '<=', 3, "$window: and few for what the others did just then");
	cmp_ok(max(map { $_->{in_flight} } @log), '<=', $PLACES + 1, "$window: calls at once");
	is(max(map { $_->{in_flight} } grep { $_->{at} < $served[100]{at} } @own) >= $PLACES, 1, "$window: all places were used");

	my ($since, $until) = map { $_->{at} } @served[ 0, -1 ];
	my $pace = ($served[150]{at} - $since) / 150;
	my $made = grep { $_->{status} == 200 && $_->{at} >= $since && $_->{at} <= $until } @log;
	my ($possible, @ideal) = ideal_client($window, $since, $until, $pace, @others);
	# not ready by then: that is, slower, if our own pace was slow at first
	my $in_time = @ideal < @served ? 1 : ($ideal[$#served] - $since) / ($until - $since);
	note(sprintf '%s: %d refused; done in %.1f s, of which an ideal client needs %.1f %%; %d of %d possible calls (%.1f %%), of them %d by others; %.1f ms a call',
		$window, $refused, $until - $since, 100 * $in_time, $made, $possible, 100 * $made / $possible, $made - @served, 1000 * $pace);
	# in time, since a burst begins each minute: how many calls were possible
	# depends on where in it our last one is
	cmp_ok($in_time, '>=', 0.9, "$window: share of what was possible");

	my %done = map { $_->pid => 0 } @{ $sessions{$window} };
	foreach my $pid (split ' ', $xero->psql("SELECT pid FROM xero_fdw.requests WHERE server = '$window' AND status = 200 ORDER BY at + elapsed_ms * interval '1 ms'"))
	{
		last if ++$done{$pid} == $CALLS;
	}
	my ($least, $most) = (min(values %done), max(values %done));
	note("$window: when the first session had made $most calls, the last had made $least");
	is($most, $CALLS, "$window: a session finished first");
	cmp_ok($least, '>=', $CALLS / 2, "$window: the others were not far behind");
	is($budget{$window}->row($window, 'calls, throttled, in_flight, waiting, waited_ms > 0'),
		join('|', scalar(@own), $refused, 0, 0, 't'), "$window: as the view says");
}

$_->quit foreach (map { @$_ } values %sessions), values %budget;
done_testing();
