# What Xero says is what counts: its headers, and its refusals.
use strict;
use warnings;

use List::Util qw(min);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroBudget;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--tenants', 2 ], import => undef);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $budget = XeroBudget->new($xero);
my ($tenant, $second) = $budget->tenants;
my ($first, $other) = map { XeroSession->new($node) } 1 .. 2;

# One call each, to different paths.
my %query = (
	Accounts => 'SELECT count(account_id) > 0 FROM %s.accounts',
	Users => 'SELECT count(user_id) > 0 FROM %s.users',
	Items => 'SELECT count(item_id) > 0 FROM %s.items');

sub query { return sprintf($query{ $_[1] // 'Items' }, $_[0]); }

sub path { return "/api.xro/2.0/$_[0]"; }

sub says_left { return (headers => { 'X-MinLimit-Remaining' => $_[0] }, times => 1); }

# ---- what others spend ----

$budget->server('told', client_id => 'told');
is($first->rows(query('told')), 't', 'the first call');
is($budget->row('told', 'minute_limit, minute_remaining, day_limit, day_remaining, concurrency, in_flight, waiting, blocked_until, last_problem'),
	'60|59|5000|4999|5|0|0||', 'what is known after it');
$budget->outsider($tenant) for 1 .. 5;
$first->rows(query('told'));
is($budget->row('told', 'minute_remaining, day_remaining'), '53|4993', 'headers tell of the calls of others');
$sandbox->clock(61);
$first->rows(query('told'));
is($budget->row('told', 'minute_remaining, day_remaining'), '59|4992', 'and that a minute begins anew');

# The others spend nearly all of it.
my $left = 60;
$left = $budget->outsider($tenant) while $left > 3;
$first->rows('SET xero_fdw.max_wait = 0');
my $mark = $sandbox->mark;
my @states = map { $first->try(query('told'))->{state} } 1 .. 5;
is_deeply(\@states, [ ('00000') x 3, ('53400') x 2 ], 'what they have left is used');
is(scalar(grep { $_->{status} == 429 } $sandbox->log($mark)), 0, 'and no call is made to be refused');
is($budget->row('told', 'minute_remaining, throttled'), '0|0', 'and shown');

# ---- answers that overtake each other ----

$sandbox->clock(61);
$first->rows('RESET xero_fdw.max_wait');
$budget->server('late', client_id => 'late');

# One call is under way for long; others are made and answered meanwhile.  What
# is known is asked for after each.
sub overtakes
{
	my ($late, @meanwhile) = @_;
	$sandbox->faults({ path => path('Accounts'), delay_ms => 2500, says_left($late) });
	$budget->hold($first, query('late', 'Accounts'));
	my @known;
	foreach my $left (@meanwhile)
	{
		$sandbox->faults({ path => path('Users'), says_left($left) });
		$other->rows(query('late', 'Users'));
		push @known, $budget->row('late', 'minute_remaining');
	}
	is($first->wait->{rows}, 't', 'the late answer comes');
	return (@known, $budget->row('late', 'minute_remaining'));
}

$sandbox->faults({ path => path('Users'), says_left(55) });
$other->rows(query('late', 'Users'));
is($budget->row('late', 'minute_remaining'), 55, 'one answer');
# what is under way is not available, hence one less before it is answered
is_deeply([ overtakes(50, 20) ], [ 19, 20 ], 'a late answer is no news if it is better');
is_deeply([ overtakes(10, 30, 45) ], [ 29, 44, 10 ], 'but if it is worse');
$sandbox->faults({ path => path('Users'), says_left(44) });
$other->rows(query('late', 'Users'));
is($budget->row('late', 'minute_remaining'), 44, 'until one to a call that began after it');
$sandbox->faults;

# ---- refusals ----

# Each is told once, and all who would call wait for it: two sessions of the
# same organisation, or in one case of the application's other one.
my @problems = ('minute', 'concurrent', 'fortnight', 'day', 'appminute', 'app-minute');
my %sessions;
foreach my $problem (@problems)
{
	my $server = $problem =~ s/-/_/r;
	my $of_all = $problem =~ /^app/ ? "${server}_2" : $server;
	$budget->server($server, client_id => $problem, tenant_id => $tenant);
	$budget->server("${server}_2", client_id => $problem, tenant_id => $second);
	$sandbox->clock(61) if $problem eq 'day';	# enough calls for all of this
	$budget->prove($server, "${server}_2") if $of_all ne $server;
	$sandbox->faults({ path => path('Accounts'), problem => $problem, retry_after => 12, times => 1 });
	my @two = map { XeroSession->new($node) } 1 .. 2;
	$sessions{$problem} = [ $sandbox->mark, @two ];
	$two[0]->start(query($server, 'Accounts'));
	ok($budget->waits($two[0], 'rate limit'), "$problem: who is refused waits");
	$two[1]->start(query($of_all, 'Users'));
	ok($budget->waits($two[1], 'rate limit'), "$problem: so do others, without being refused themselves");
	is($budget->row($server, "calls, throttled, last_problem, blocked_until > now(), blocked_until < now() + interval '14 s'"),
		($of_all eq $server ? 1 : 2) . "|1|$problem|t|t", "$problem: shown");
	next if $of_all ne $server;
	is($first->rows(query("${server}_2")), 't', "$problem: the other organisation is not blocked");
}
foreach my $problem (@problems)
{
	my ($mark, @two) = @{ $sessions{$problem} };
	is($_->wait->{rows}, 't', "$problem: has its turn in the end") foreach @two;
	$_->quit foreach @two;
}
# The log has no name of the application, but its order has: between a refusal
# and the next one are the calls to the other organisation only.
my @log = grep { XeroSandbox::is_api_call($_) } $sandbox->log($sessions{minute}[0]);
my @refused = grep { $_->{status} == 429 } @log;
my @waited = grep { $_->{status} == 200 && $_->{path} =~ m{/(Accounts|Users)$} } @log;
is(scalar(@refused), scalar(@problems), 'one refusal each');
is(scalar(@waited), 2 * @problems, 'and then two calls');
is(scalar(grep { my $n = $_; $waited[$n]{at} < $refused[ $n / 2 ]{at} + 12 } 0 .. $#waited), 0, 'none of them before its time');

# ---- the day ----

$sandbox->reset(tenants => 2, minute_limit => 60, day_limit => 7);
$budget->server('day_of_7', client_id => 'day of 7', tenant_id => $tenant);
$mark = $sandbox->mark;
@states = map { $_->try(query('day_of_7'))->{state} } ($first, $other) x 5;
is_deeply(\@states, [ ('00000') x 7, ('53400') x 3 ], 'seven calls a day');
is(scalar(grep { $_->{status} == 429 } $sandbox->log($mark)), 1, 'one call was refused, to learn when the day begins');
like($other->try(query('day_of_7'))->{text}, qr/Xero's daily limit of calls is used up for server "day_of_7"\nDETAIL:  It opens again at 20\S+ .*, in 8[56]\d{3} seconds; xero_fdw.max_wait is 120000 ms for the whole statement\.\nHINT:  Other programs/, 'which all are told');
is($budget->row('day_of_7', "day_limit, day_remaining, day_resets_at = blocked_until, day_resets_at BETWEEN now() + interval '23 h' AND now() + interval '25 h', throttled, last_problem"),
	'1000|0|t|t|1|day', 'and see');
$budget->watcher->rows(<<'SQL');
CREATE FUNCTION sightings(looks integer) RETURNS SETOF boolean LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. looks LOOP
		RETURN QUERY SELECT day_resets_at = blocked_until FROM xero_fdw.budget WHERE server = 'day_of_7';
	END LOOP;
END $$
SQL
is($budget->watcher->rows('SELECT DISTINCT * FROM sightings(5000)'), 't', 'whenever they look');

# Which limit it is shows in how much is left.
foreach my $case ([ 5000, 1000, 1000, 999 ], [ 5000, 5000, 5000, 4999 ], [ 3000, 5000, 3000, 2999 ], [ 3000, 1000, 1000, 999 ])
{
	my ($own, $of_xero, @known) = @$case;
	$sandbox->reset(tenants => 2, day_limit => $of_xero);
	$budget->watcher->rows('DROP SERVER IF EXISTS day_limit CASCADE; DROP SCHEMA IF EXISTS day_limit CASCADE');
	$budget->server('day_limit', client_id => "@$case", tenant_id => $tenant, day_limit => $own);
	$first->rows(query('day_limit'));
	is($budget->row('day_limit', 'day_limit, day_remaining'), "$known[0]|$known[1]", "day_limit '$own', and Xero's is $of_xero");
}

# A limit of our own needs no refusal.
$budget->server('frugal', client_id => 'frugal', tenant_id => $tenant, day_limit => 3);
$mark = $sandbox->mark;
@states = map { $_->try(query('frugal'))->{state} } ($first, $other) x 3;
is_deeply(\@states, [ ('00000') x 3, ('53400') x 3 ], 'three calls a day');
is(scalar(() = $sandbox->calls($mark)), 3, 'and no more');
like($other->try(query('frugal'))->{text}, qr/daily limit of calls that server "frugal" sets itself is used up\nDETAIL:  It opens again at 20\S+ .*, in 8[56]\d{3} seconds; xero_fdw.max_wait is 120000 ms for the whole statement\.\nHINT:  See the server option "day_limit"\./, 'as all are told');
is($budget->row('frugal', "day_limit, day_remaining, day_resets_at BETWEEN now() + interval '23 h' AND now() + interval '25 h', throttled, last_problem"), '3|0|t|0|', 'shown');

$_->quit foreach $first, $other, $budget;
done_testing();
