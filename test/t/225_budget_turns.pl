# Who goes first, and who need not even wait: priorities, the reserve, and
# waits that would be too long.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroBudget;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--minute-limit', 10_000, '--concurrency', 100 ], import => undef);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $budget = XeroBudget->new($xero);
my $session = XeroSession->new($node);

# Each of these is one call, to a path of its name.
my %query = (
	Accounts => 'SELECT count(account_id) > 0 FROM %s.accounts',
	Users => 'SELECT count(user_id) > 0 FROM %s.users',
	Items => 'SELECT count(item_id) > 0 FROM %s.items',
	TaxRates => 'SELECT count(lower(name)) > 0 FROM %s.tax_rates',
	Currencies => 'SELECT count(code) > 0 FROM %s.currencies',
	Organisation => 'SELECT count(lower(name)) > 0 FROM %s.organisation');

sub query { return sprintf($query{ $_[1] // 'Items' }, $_[0]); }

# ---- turns ----

$budget->server('turns', client_id => 'turns', concurrency => 1, minute_limit => 10_000);
is($session->rows(query('turns')), 't', 'a call');

# A session whose call is under way, so that all others queue.
sub hold_turn
{
	my $holder = XeroSession->new($node);
	$sandbox->faults({ path => '/api.xro/2.0/Invoices', delay_ms => 60_000 });
	ok($budget->hold($holder, 'SELECT count(invoice_id::text) FROM turns.invoices'), 'a call takes long');
	$sandbox->faults;
	return $holder;
}

sub cancel
{
	my ($waiting) = @_;
	$budget->watcher->rows('SELECT pg_cancel_backend(' . $waiting->pid . ')');
	is($waiting->wait->{state}, '57014', 'cancelled');
	$waiting->quit;
	return;
}

# While one call is under way, others queue in this order, and then go in what
# order?
sub turns_of
{
	my (@queue) = @_;
	my $holder = hold_turn();
	my $mark = $sandbox->mark;
	my @sessions;
	foreach my $call (@queue)
	{
		my ($priority, $object) = split ' ', $call;
		push @sessions, XeroSession->new($node, settings => "-c xero_fdw.priority=$priority");
		$sessions[-1]->start(query('turns', $object));
		$budget->waits($sessions[-1], 'budget');
	}
	is($budget->row('turns', 'in_flight, waiting'), '1|' . scalar(@queue), 'all wait');
	cancel($holder);
	$_->wait foreach @sessions;
	$_->quit foreach @sessions;
	return map { s{.*/}{}r =~ s/\?.*//r } $sandbox->calls($mark);
}

is_deeply([ turns_of('interactive Users', 'interactive Items', 'interactive Accounts', 'interactive TaxRates') ],
	[ 'Users', 'Items', 'Accounts', 'TaxRates' ], 'first in, first out');
is_deeply([ turns_of('background Users', 'background Items', 'background Accounts') ],
	[ 'Users', 'Items', 'Accounts' ], 'so in the background');
is_deeply([ turns_of('background Users', 'background Items', 'interactive Accounts', 'interactive TaxRates') ],
	[ 'Accounts', 'TaxRates', 'Users', 'Items' ], 'interactive calls pass');
is_deeply([ turns_of('background Users', map { "interactive $_" } 'Items', 'Accounts', 'TaxRates', 'Currencies', 'Organisation') ],
	[ 'Items', 'Accounts', 'TaxRates', 'Currencies', 'Users', 'Organisation' ], 'but no more than four');

# Many calls: the background gets on, at its pace.
my @busy = map { XeroSession->new($node) } 1 .. 3;
my $background = XeroSession->new($node, settings => '-c xero_fdw.priority=background');
$xero->psql(<<'SQL');
CREATE FUNCTION work(query text, calls integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. calls LOOP
		EXECUTE query;
	END LOOP;
END $$
SQL
my $holder = hold_turn();
my $mark = $sandbox->mark;
$_->start(sprintf q{SELECT work('%s', 40)}, query('turns', 'Accounts')) foreach @busy;
$background->start(sprintf q{SELECT work('%s', 10)}, query('turns', 'Users'));
# a background that begins when the others have ended has nobody to let pass
$budget->waits($_, 'budget') foreach @busy, $background;
is($budget->row('turns', 'in_flight, waiting'), '1|4', 'all wait');
cancel($holder);
is($_->wait->{state}, '00000', 'all is done') foreach @busy, $background;
my $order = join '', map { m{/Users} ? 'b' : 'i' } $sandbox->calls($mark);
my ($between) = $order =~ /(b.*b)/;
is($order =~ tr/b//, 10, 'ten calls in the background');
# it may queue a moment too late for its turn
cmp_ok($between =~ tr/i//, '<=', 70, 'were made while others went on') or diag($order);
cmp_ok($between =~ tr/i//, '>=', 27, 'that went first') or diag($order);
$_->quit foreach @busy;

# ---- what is left of the day is not for all ----

$budget->server('reserve', client_id => 'reserve', day_limit => 10, reserve => 40);
my @states = map { $background->try(query('reserve'))->{state} } 1 .. 8;
is_deeply(\@states, [ ('00000') x 6, ('53400') x 2 ], 'six of ten calls are for the background');
like($background->try(query('reserve'))->{text},
	qr/ERROR:  53400: what is left of Xero's daily limit of calls is reserved for interactive work on server "reserve"\nDETAIL:  It opens again at 20\S+ .*, in 8[56]\d{3} seconds; xero_fdw\.max_wait is 120000 ms for the whole statement\.\nHINT:  See the server option "reserve", or set xero_fdw\.priority to interactive\./, 'message');
is($budget->row('reserve', 'day_limit, day_remaining, blocked_until'), '10|4|', 'four are left');
@states = map { $session->try(query('reserve'))->{state} } 1 .. 6;
is_deeply(\@states, [ ('00000') x 4, ('53400') x 2 ], 'they are for interactive work');
$background->quit;

# ---- waits that would be too long ----

# Two calls a minute, and both are spent: two sessions wait for the next two,
# and a third one needs two minutes, as its place in the queue tells.
$budget->server('place', client_id => 'place', minute_limit => 2);
$session->rows(query('place')) for 1 .. 2;
$mark = $sandbox->mark;
my @waiting = map { XeroSession->new($node, settings => "-c xero_fdw.max_wait=$_") } '90s', '90s', '200s';
foreach my $waiting (@waiting)
{
	$waiting->start(query('place'));
	ok($budget->waits($waiting, 'budget'), 'waits: its turn comes in time');
}
$session->rows("SET xero_fdw.max_wait = '90s'");
my $result = $session->try(query('place'));
is($result->{state}, '53400', 'a wait that would be too long: SQLSTATE');
like($result->{text}, qr/Xero's limit of calls a minute is used up for server "place"\nDETAIL:  It opens again at 20\S+ .*, in (?:9[1-9]|1[012]\d) seconds; xero_fdw\.max_wait is 90000 ms for the whole statement\./, 'message');
$session->rows('SET xero_fdw.max_wait = 0');
is($session->try(query('place'))->{state}, '53400', 'so with no wait allowed');
is($budget->row('place', 'waiting'), 3, 'while the others still wait');
is(scalar(() = $sandbox->calls($mark)), 0, 'and nothing was called');
$session->rows("SET xero_fdw.max_wait = '10s'");
$session->rows("SET xero_fdw.priority = 'background'");
is($session->try(query('place'))->{state}, '53400', 'in the background as well');
$session->rows("RESET xero_fdw.priority");

# A place among the calls at once comes when it comes.
$holder = hold_turn();
foreach my $max_wait (0, 300)
{
	$session->rows("SET xero_fdw.max_wait = $max_wait");
	$result = $session->try(query('turns'));
	is($result->{state}, '53400', "max_wait of $max_wait ms: SQLSTATE");
	like($result->{text}, qr/too many calls to Xero at once for server "turns"\nDETAIL:  The statement has waited for as long as xero_fdw\.max_wait \($max_wait ms\) allows\.\n/, 'message');
	cmp_ok($result->{seconds}, '>=', $max_wait / 1000, 'and not sooner');
}
is($budget->row('turns', 'in_flight, waiting'), '1|0', 'nobody is left in the queue');
cancel($_) foreach @waiting, $holder;

$_->quit foreach $session, $budget;
done_testing();
