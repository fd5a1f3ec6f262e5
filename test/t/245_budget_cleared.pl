# clear_block() forgets that Xero has refused calls.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroBudget;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--tenants', 2, '--minute-limit', 1000 ], import => undef);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $budget = XeroBudget->new($xero);
my @tenants = $budget->tenants;
my $list = '/api.xro/2.0/Accounts';
$budget->server('a', client_id => 'app', tenant_id => $tenants[0]);
$budget->server('b', client_id => 'app', tenant_id => $tenants[1]);
$budget->server('other', client_id => 'other', tenant_id => $tenants[0], day_limit => 3);
my ($first, $second) = map { XeroSession->new($node, settings => '-c xero_fdw.max_wait=2d') } 1 .. 2;
my ($mark, $result);

sub query { return "SELECT count(account_id) > 0 FROM $_[0].accounts"; }

sub calls { return join(' ', map { $_->{status} } grep { XeroSandbox::is_api_call($_) } $sandbox->log($mark)); }

sub clear { return $budget->watcher->rows("SELECT xero_fdw.clear_block('$_[0]')"); }

sub is_refused
{
	my ($problem, $seconds, $times) = @_;
	$mark = $sandbox->mark;
	$sandbox->faults({ path => $list, problem => $problem, retry_after => $seconds, times => $times // 1 });
	return;
}

$budget->prove('a', 'b');

# ---- a session that waits goes on ----

foreach my $case ([ 'minute', 100 ], [ 'fortnight', 100 ], [ 'concurrent', 100 ], [ 'app', 100 ], [ 'day', 80_000 ])
{
	my ($problem, $seconds) = @$case;
	is_refused($problem, $seconds);
	$first->start(query('a'));
	ok($budget->waits($first, 'rate limit'), "$problem: a statement waits");
	is($budget->row('a', 'blocked_until > now()'), 't', '... blocked');
	is($budget->row('b', 'blocked_until > now()'), $problem eq 'app' ? 't' : '', '... the other organisation, too, if it is the application\'s') if $problem ne 'minute';
	clear('other');
	is($budget->row('a', 'blocked_until > now()'), 't', '... another application has its own');
	is(calls(), 429, '... after one call');
	is(clear('b'), '', '... is cleared by any server of the application');
	$result = $first->wait;
	is($result->{rows}, 't', '... and the statement goes on') or diag($result->{text});
	cmp_ok($result->{seconds}, '<', 60, '... at once');
	is(calls(), '429 200', '... with one more call');
	is($budget->row('a', 'blocked_until, day_resets_at, in_flight, waiting'), '||0|0', '... nothing is left of it');
	is($second->rows(query('b')), 't', '... in the other organisation neither');
}

# All of them, in both organisations.
is_refused('app', 100);
$first->start(query('a'));
ok($budget->waits($first, 'rate limit'), 'the application is refused');
$second->start(query('b'));
ok($budget->waits($second, 'rate limit'), '... in the other organisation, too');
my $third = XeroSession->new($node);
$third->start(query('a'));
ok($budget->waits($third, 'rate limit'), '... and two wait in one');
clear('a');
is($_->wait->{rows}, 't', '... all go on') foreach $first, $second, $third;
is(calls(), '429 200 200 200', '... with a call each');

# ---- where Xero was right ----

is_refused('minute', 100, 2);
$first->start(query('a'));
ok($budget->waits($first, 'rate limit'), 'refused');
$second->start(query('a'));
ok($budget->waits($second, 'rate limit'), '... two wait');
clear('a');
ok($budget->until_true(q{SELECT throttled = (SELECT count(*) FROM xero_fdw.requests WHERE status = 429 AND server IN ('a')) AND blocked_until > now() FROM xero_fdw.budget WHERE server = 'a'}), '... refused again');
is(calls(), '429 429', '... one call');
clear('a');
is($_->wait->{rows}, 't', '... cleared again') foreach $first, $second;
is(calls(), '429 429 200 200', '... both go on');

# What the server allows itself is not Xero's.
$first->rows(q{SET xero_fdw.max_wait = 0});
is($first->rows(query('other')), 't', 'of three calls') for 1 .. 3;
clear('other');
is($first->try(query('other'))->{state}, '53400', '... none is left');
$first->rows(q{RESET xero_fdw.max_wait});

# ---- over a restart ----

SKIP:
{
	skip 'the extension is not preloaded', 6 if ($ENV{XERO_PRELOAD} // 'xero_fdw') eq '';
	is_refused('day', 80_000);
	is($third->try(query('a'))->{state}, '53400', 'the day is spent');
	foreach my $cleared (0, 1)
	{
		$_->quit foreach $first, $second, $third, $budget;
		$node->restart;
		$budget = XeroBudget->new($xero);
		($first, $second, $third) = map { XeroSession->new($node) } 1 .. 3;
		is($third->try(query('a'))->{state}, $cleared ? '00000' : '53400', '... after a restart' . ($cleared ? ' nothing of that is left' : ', too'));
		# before the server's first call since the restart
		is(calls(), $cleared ? '429 200' : '429', '... calls');
		clear('a') unless $cleared;
	}
	is($third->rows(query('a')), 't', '... and calls go on');
}

# ---- who may ----

$budget->watcher->rows(<<'SQL');
CREATE ROLE owner; CREATE ROLE member IN ROLE owner LOGIN; CREATE ROLE user_only LOGIN;
GRANT USAGE ON FOREIGN SERVER a TO user_only;
ALTER SERVER b OPTIONS (DROP client_id);
DROP USER MAPPING FOR PUBLIC SERVER b;
GRANT USAGE ON FOREIGN DATA WRAPPER xero_fdw TO owner;
GRANT USAGE ON SCHEMA xero_fdw TO PUBLIC;
ALTER SERVER a OWNER TO owner;
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw;
SQL
my %session = map { $_ => XeroSession->new($node, user => $_) } 'member', 'user_only', 'postgres';
foreach my $case (
	[ 'user_only', 'a', '42501', qr/must be owner of foreign server a/ ],
	[ 'member', 'b', '42501', qr/must be owner of foreign server b/ ],
	[ 'member', 'a', '00000' ],
	[ 'postgres', 'a', '00000' ],
	[ 'postgres', 'b', '00000' ],
	[ 'postgres', 'nowhere', '42704', qr/server "nowhere" does not exist/ ],
	[ 'postgres', 'elsewhere', '42809', qr/server "elsewhere" is not one of xero_fdw/ ])
{
	my ($user, $server, $state, $text) = @$case;
	$result = $session{$user}->try("SELECT xero_fdw.clear_block('$server')");
	is($result->{state}, $state, "$user, server $server");
	like($result->{text}, $text, '... message') if $text;
}
is($session{postgres}->rows(q{SELECT xero_fdw.clear_block(NULL) IS NULL}), 't', 'no server, no block');

$_->quit foreach values %session, $first, $second, $third, $budget;
done_testing();
