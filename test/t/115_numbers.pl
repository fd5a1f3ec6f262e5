# Numbers that Xero sends are believed within bounds: one wrong header costs a
# wait, never more.
use strict;
use warnings;

use POSIX qw(strftime);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroBudget;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--minute-limit', 1000, '--day-limit', 900, '--contacts', 30 ], import => undef);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $budget = XeroBudget->new($xero);
my $session = XeroSession->new($node);
my $list = '/api.xro/2.0/Accounts';
my ($n, $mark, $result) = (0);

# A server of another application, so that what is known of one is not of the next.
sub fresh_server
{
	my (%option) = @_;
	my $name = 's' . ++$n;
	$budget->server($name, client_id => $name, minute_limit => 1000, %option);
	return $name;
}

sub query { return "SELECT count(account_id) > 0 FROM $_[0].accounts"; }

sub calls { return scalar(() = $sandbox->calls($mark)); }

sub http_date { return strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime($_[0])); }

# ---- Retry-After ----

my $now = $sandbox->control('clock')->{now};
my ($minute, $day) = ('119 s AND 122 s', '24:59:50 AND 25:00:02');
foreach my $case (
	[ 'of a minute', 'minute', 999_999_999, $minute ],
	[ 'of an unknown limit', 'fortnight', 90_000, $minute ],
	[ 'of calls at once', 'concurrent', 121, $minute ],
	[ 'of an application', 'app', 999_999_999, $minute ],
	[ 'of a day', 'day', 999_999_999, $day ],
	[ 'of ten digits', 'minute', 9_999_999_999, '59 s AND 62 s' ],
	[ 'a date far away', 'minute', http_date($now + 1e9), $minute ],
	[ 'a day that begins in years', 'day', http_date($now + 1e9), $day ],
	[ 'a date in five minutes, of a day', 'day', http_date($now + 300), '290 s AND 302 s' ],
	[ 'a date of 1977', 'day', 'Sunday, 06-Nov-77 08:49:37 GMT', undef ],
	[ 'a date as C prints it', 'day', strftime('%a %b %e %H:%M:%S %Y', gmtime($now + 300)), '290 s AND 302 s' ],
	[ 'a date that is none', 'minute', 'Sun, 99 Foo 2026 08:49:37 GMT', '59 s AND 62 s' ],
	[ 'less than nothing', 'minute', -5, '59 s AND 62 s' ])
{
	my ($name, $problem, $value, $bounds) = @$case;
	my $server = fresh_server();
	$sandbox->faults({ path => $list, status => 429, times => 1, headers => { 'X-Rate-Limit-Problem' => $problem, 'Retry-After' => $value } });
	$session->rows(q{SET xero_fdw.max_wait = '2s'});
	$mark = $sandbox->mark;
	$result = $session->try(query($server));
	if (defined $bounds)
	{
		is($result->{state}, '53400', "Retry-After $name: SQLSTATE") or diag($result->{text});
		my ($from, $to) = split / AND /, $bounds;
		is($budget->row($server, "blocked_until - now() BETWEEN '$from' AND '$to'"), 't', "Retry-After $name: is believed so far")
		  or diag($budget->row($server, 'blocked_until - now()'));
		is(calls(), 1, "Retry-After $name: calls");
	}
	else
	{
		is($result->{rows}, 't', "Retry-After $name: it is past") or diag($result->{text});
		is(calls(), 2, "Retry-After $name: calls");
	}
}

# A date counts from when Xero says that it is now.
my $server = fresh_server();
$sandbox->clock(40_000);
$now = $sandbox->control('clock')->{now};
$sandbox->faults({ path => $list, status => 429, times => 1, headers => { 'X-Rate-Limit-Problem' => 'minute', 'Retry-After' => http_date($now + 3) } });
$session->rows(q{SET xero_fdw.max_wait = '8s'});
$mark = $sandbox->mark;
$result = $session->try("EXPLAIN (ANALYZE, COSTS OFF) SELECT account_id FROM $server.accounts");
is($result->{state}, '00000', 'a date by a clock that is another than ours') or diag($result->{text});
is(calls(), 2, 'is waited for');
cmp_ok($result->{rows} =~ /Xero Budget Wait: (\d+)/ ? $1 : 0, '>=', 1000, 'and not less');
$sandbox->clock(-40_000);

# That Xero is not available for a day is known to be wrong as well, but the
# statement need not wait for that.
$server = fresh_server();
$session->rows('RESET xero_fdw.max_wait');
foreach my $value (86_400, http_date($now + 1e9))
{
	$sandbox->faults({ path => $list, status => 503, times => 1, headers => { 'Retry-After' => $value } });
	$mark = $sandbox->mark;
	is($session->try(query($server))->{state}, 'HV00L', "503 with Retry-After $value");
	is(calls(), 1, '... ends the statement');
	is($session->rows(query($server)), 't', '... and blocks nobody');
}

# ---- what is left ----

foreach my $value (-1, 1001, 999_999_999, 9_999_999_999, '1e9', '12abc', '', '0x10', 2_147_483_648)
{
	my $server = fresh_server(reserve => 20);
	my $background = XeroSession->new($node, settings => '-c xero_fdw.priority=background');
	$background->rows(query($server));
	my $limit = $budget->row($server, 'day_limit');
	$sandbox->faults({ path => $list, times => 1, headers => { map { ("X-${_}Limit-Remaining" => $value) } qw(Min Day AppMin) } });
	$mark = $sandbox->mark;
	is($session->rows(query($server)), 't', "'$value' calls are left");
	is($budget->row($server, 'minute_remaining BETWEEN 0 AND 1000, day_remaining BETWEEN 0 AND 5000, app_minute_remaining BETWEEN 0 AND 10000, blocked_until'),
		't|t|t|', '... of which no more than there can be');
	is($session->rows(query($server)), 't', '... the next call');
	is($background->try(query($server))->{state}, '00000', '... also in the background');
	is(calls(), 3, '... is made');
	is($budget->row($server, 'minute_remaining < 1000, day_remaining, app_minute_remaining < 10000'),
		't|' . (900 - (() = $sandbox->calls(0))) . '|t', '... and tells the truth');
	is($budget->row($server, 'day_limit'), $limit, '... of the day, too');
	$background->quit;
}

# ---- the time ----

my $far = '00:00:02';
$server = fresh_server();
my $offset = "SELECT clock_offset BETWEEN '-$far' AND '$far' FROM xero_fdw._session()";
$session->rows(query($server));
is($session->rows($offset), 't', 'one time here and there');
foreach my $date (http_date(0), http_date($now + 1e9), 'Fri, 31 Dec 9999 23:59:59 GMT', 'Sun, 06 Nov 2147483647 08:49:37 GMT', 'tomorrow', -1)
{
	$sandbox->faults({ path => $list, times => 1, headers => { Date => $date } });
	is($session->rows(query($server)), 't', "Date: $date");
	is($session->rows($offset), 't', '... is not believed') or diag($session->rows('SELECT clock_offset FROM xero_fdw._session()'));
}

# ---- the life of a token ----

$budget->server('token', client_id => 'sandbox-client', grant_type => 'client_credentials');
$budget->watcher->rows(q{ALTER USER MAPPING FOR PUBLIC SERVER token OPTIONS (DROP access_token, ADD client_secret 'sandbox-secret')});
foreach my $case ([ 0, 'HV00L' ], [ -1800, 'HV00L' ], [ '-99999999999999999999', 'HV00L' ], [ '"1800"', 'HV00L' ], [ '1e99', 'HV00L' ], [ 2_147_483_647, '00000' ],
	[ '99999999999999999999', '00000' ])
{
	my ($seconds, $state) = @$case;
	my $one = XeroSession->new($node);
	$sandbox->faults({ path => '/connect/token', status => 200, body => qq({"access_token": "sandbox-token", "expires_in": $seconds}) });
	is($one->try(query('token'))->{state}, $state, "a token that expires in $seconds seconds");
	$sandbox->faults;
	is($one->rows(query('token')), 't', '... afterwards');
	$one->quit;
}

# ---- how many records there are ----

$server = fresh_server();
$session->rows("CREATE SCHEMA counted; IMPORT FOREIGN SCHEMA accounting LIMIT TO (contacts) FROM SERVER $server INTO counted");
foreach my $items (0, 29, 31, 999_999_999_999_999_999)
{
	# the sandbox's own answer says 30
	$sandbox->faults({ path => '/api.xro/2.0/Contacts', status => 200, times => 1,
			body => qq({"pagination": {"page": 1, "pageSize": 1, "pageCount": $items, "itemCount": $items}, "Contacts": [{"ContactID": "00000000-0000-0000-0000-000000000001"}]}) });
	is($session->rows('SELECT count(*) FROM counted.contacts'), $items =~ /^\d\d$/ ? $items : 30, "count(*), where Xero counts $items");
}

$_->quit foreach $session, $budget;
done_testing();
