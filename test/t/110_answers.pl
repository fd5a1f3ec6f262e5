# Answers that are no success, and Xero's limits: what is asked again, how
# often, and what is said in the end.
use strict;
use warnings;

use JSON::PP ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSandbox;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--no-limits', '--invoices', 250 ],
	server => { page_size => 100, client_id => 'app' });
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
my $list = '/api.xro/2.0/Invoices';
my $all = 'SELECT count(invoice_id::text), sum(total) FROM xero.invoices';
my $where = "SELECT count(invoice_id::text), sum(total) FROM xero.invoices WHERE type = 'ACCREC'";
my %rows = ($all => $session->rows($all), $where => $session->rows($where));
is((split /\|/, $rows{$all})[0], 250, 'three pages without faults');
like($rows{$where}, qr/^[1-9]/, 'a filtered list without faults');

sub calls { return scalar(grep { $_ =~ m{^GET $list\b} } $sandbox->calls($_[0])); }

# A statement under faults: state, calls, message; and that the session lives on.
sub suffers
{
	my ($name, $query, $fault, $state, $calls, @text) = @_;
	my $mark = $sandbox->mark;
	$sandbox->faults(ref $fault eq 'ARRAY' ? @$fault : { path => $list, %$fault });
	my $result = $session->try($query);
	is($result->{state}, $state, "$name: SQLSTATE") or diag($result->{text});
	is(calls($mark), $calls, "$name: calls") if defined $calls;
	is($result->{rows}, $rows{$query}, "$name: rows") if $state eq '00000';
	like($result->{text}, $_, "$name: message") foreach @text;
	$sandbox->faults;
	is($session->rows($query), $rows{$query}, "$name: afterwards");
	return $result;
}

# ---- failures of Xero's own ----

my $one = 'SELECT count(account_id) FROM xero.accounts';
suffers("$_ once", $all, { status => $_, times => 1 }, '00000', 4) foreach 500, 502, 503, 504;
suffers('503 on the last page', $all, { status => 503, after => 2, times => 2 }, '00000', 5);
suffers('500 for ever', $where, { status => 500 }, 'HV00L', 2,
	qr/Xero failed to carry out a request of server "xero"\nDETAIL:  GET \S+: HTTP status 500, correlation id \S+\.\nHINT:  A filter may be the cause/);
suffers('504 for ever, filtered', $where, { status => 504 }, 'HV00L', 2, qr/not available for server "xero"\nDETAIL:  [^\n]*\nHINT:  [^\n]*a filter that takes Xero too long/);
suffers('500 once, filtered', $where, { status => 500, times => 1 }, '00000');
suffers('500 for ever, unfiltered', $all, { status => 500 }, 'HV00L', 5, qr/failed to carry out a request of server "xero"\nDETAIL:  GET \S+: HTTP status 500, correlation id \S+\.\nLOC/);
suffers('503 with Retry-After', $all, { status => 503, times => 1, headers => { 'Retry-After' => 1 } }, '00000', 4);

my $result = suffers('400', $all,
	{ status => 400, body => "{\"Type\": \"QueryParseException\", \"Message\": \"No property or field 'X'\\r\\n exists\"}" },
	'HV00L', 1, qr/Xero refused a request of server "xero"\nDETAIL:  GET \S+: HTTP status 400, correlation id \S+, "QueryParseException: No property or field 'X' exists"\.\n/);
$result = suffers('400 in many words', $all,
	{ status => 400, body => '{"Type": "T", "Message": "' . 'A' x 90_000 . '\u0007\u001b[31m\u0000"}' }, 'HV00L', 1, qr/refused/);
cmp_ok(length $result->{text}, '<', 1200, 'Xero\'s words are cut');
suffers('400 without words', $all, { status => 400, body => '<html>', headers => { 'Content-Type' => 'text/html' } }, 'HV00L', 1, qr/HTTP status 400/);
suffers('404 of a list', $all, { status => 404, body => 'The resource you\'re looking for cannot be found',
	headers => { 'Content-Type' => 'text/plain' } }, 'HV00L', 1,
	qr/Xero has nothing at "$list"\nDETAIL:  .*cannot be found"\. The query had \d+ bytes\.\nHINT:  Xero also answers 404/);
suffers("$_ is not retried", $all, { status => $_ }, 'HV00L', 1, qr/HTTP status $_/) foreach 405, 412, 501;

# A redirect is not followed: the token would go with it.
my $elsewhere = XeroSandbox->new('--seed', 1);
foreach my $status (301, 302, 307, 308)
{
	suffers("redirect $status", $all,
		{ status => $status, headers => { Location => $elsewhere->url . $list } },
		'HV00L', 1, qr/unexpected answer from Xero for server "xero"\nDETAIL:  GET \S+: HTTP status $status/);
}
is(scalar($elsewhere->log), 0, 'nothing reached the place where the redirects led');
$elsewhere->stop;

# ---- limits ----

# A limit stays in force for the application that has reached it; the next case
# is another's.
my $apps = 0;
sub be_another_app
{
	$session->rows("ALTER SERVER xero OPTIONS (SET client_id 'app " . ++$apps . "')");
	return;
}

sub is_limited
{
	my ($name, $fault, $calls, $text) = @_;
	be_another_app();
	my $mark = $sandbox->mark;
	$sandbox->faults({ path => $list, %$fault });
	my $result = $session->try($all);
	is($result->{state}, '53400', "$name: SQLSTATE") or diag($result->{text});
	is(calls($mark), $calls, "$name: calls");
	like($result->{text}, $text, "$name: message");
	$sandbox->faults;
	is($session->try($all)->{state}, '53400', "$name: stays in force");
	is(calls($mark), $calls, "$name: without a call");
	be_another_app();
	is($session->rows($all), $rows{$all}, "$name: for that application");
	return;
}

my $began = time;
suffers('minute limit', $all, { problem => 'minute', retry_after => 1, times => 1 }, '00000', 4);
suffers('minute limit on a page in the middle', $all, { problem => 'minute', retry_after => 1, after => 1, times => 1 }, '00000', 4);
suffers('app minute limit', $all, { problem => 'appminute', retry_after => 1, times => 1 }, '00000', 4);
suffers('app-minute limit', $all, { problem => 'app-minute', retry_after => 1, times => 1 }, '00000', 4);
suffers('too many at once', $all, { problem => 'concurrent', retry_after => undef, times => 1 }, '00000', 4);
suffers('an unknown limit', $all, { problem => 'fortnight', retry_after => 1, times => 1 }, '00000', 4);
suffers('a limit without a name', $all, { status => 429, headers => { 'Retry-After' => 0 }, times => 1 }, '00000', 4);
cmp_ok(time - $began, '>=', 6, 'limits were waited for');

$began = time;
is_limited('day limit', { problem => 'day', retry_after => 73451 }, 1,
	qr/Xero's daily limit of calls is used up for server "xero"\nDETAIL:  It opens again at 20\d\d-\d\d-\d\d .*, in 73\d{3} seconds; xero_fdw.max_wait is 120000 ms for the whole statement\.\nHINT:  Other programs/);
is_limited('day limit without an end', { problem => 'day', retry_after => undef }, 1, qr/daily limit.*\n.* in 60\d seconds/);
$session->rows('SET xero_fdw.max_wait = 2000');
is_limited('minute limit beyond max_wait', { problem => 'minute', retry_after => 30 }, 1,
	qr/Xero's limit of calls a minute is used up for server "xero"\nDETAIL:  It opens again at .*, in 3\d seconds; xero_fdw.max_wait is 2000 ms.*\nHINT:  Try again later, or raise xero_fdw.max_wait\./);
is_limited('unknown limit without an end', { problem => 'fortnight', retry_after => undef }, 1, qr/limit of calls a minute/);
$session->rows('SET xero_fdw.max_wait = 0');
is_limited('no wait allowed at all', { problem => 'minute', retry_after => 9 }, 1, qr/in (?:9|10) seconds/);
cmp_ok(time - $began, '<', 20, 'what is not worth waiting for fails at once');
$session->rows('SET xero_fdw.max_wait = 3500');
be_another_app();
my $mark = $sandbox->mark;
$sandbox->faults({ path => $list, problem => 'minute', retry_after => 2 });
is($session->try($all)->{state}, '53400', 'waits add up to max_wait: SQLSTATE');
is(calls($mark), 2, 'waits add up to max_wait: calls');
$sandbox->faults;
$session->rows('RESET xero_fdw.max_wait');
be_another_app();

# A statement has max_calls, retries included; the length of the list is not known.
$session->rows("$one; SELECT xero_fdw.reset_stats()");
$session->rows('SET xero_fdw.max_calls = 2');
$mark = $sandbox->mark;
$result = $session->try($all);
is($result->{state}, '53400', 'max_calls: SQLSTATE');
like($result->{text}, qr/statement needs more calls to Xero than xero_fdw.max_calls \(2\) allows\nDETAIL:  The limit is one of each statement; the next begins anew\.\nHINT:  Narrow the query/, 'message');
is(calls($mark), 2, 'and no more than that were made');
$session->rows('SET xero_fdw.max_calls = 3');
is($session->rows($all), $rows{$all}, 'each statement has its own');
is($session->rows($all), $rows{$all}, 'again');
$sandbox->faults({ path => $list, status => 500, times => 1 });
is($session->try($all)->{state}, '53400', 'a retry counts');
$sandbox->faults;
is($session->rows("DO \$\$ BEGIN PERFORM count(*) FROM xero.accounts; PERFORM count(*) FROM xero.users; PERFORM count(*) FROM xero.items; END \$\$"), '', 'three in one block');
like($session->try("DO \$\$ BEGIN FOR i IN 1..9 LOOP PERFORM count(account_id) FROM xero.accounts; END LOOP; END \$\$")->{text},
	qr/ 53400: .*max_calls/, 'a block of nine is one statement');
$session->rows('RESET xero_fdw.max_calls');

# With the sandbox's own limits: a scan of more calls than a minute has, and
# calls at once beyond what Xero allows.
$sandbox->reset(limits => JSON::PP::true(), minute_limit => 2, day_limit => 5000);
be_another_app();
$session->rows('SET xero_fdw.max_wait = 0');
$mark = $sandbox->mark;
$result = $session->try($all);
is($result->{state}, '53400', 'the minute is spent in the middle of a scan: no short result');
is(calls($mark), 2, 'which is known without asking for more');
is($session->rows('SELECT minute_remaining FROM xero_fdw.budget WHERE tenant_id = (SELECT tenant_id FROM xero_fdw.requests ORDER BY at DESC LIMIT 1) ORDER BY stats_since DESC LIMIT 1'),
	0, 'and shown');
$session->rows('RESET xero_fdw.max_wait');
$sandbox->reset(limits => JSON::PP::true(), minute_limit => 60, concurrency => 1, latency => 50);
be_another_app();
$session->rows("ALTER SERVER xero OPTIONS (ADD concurrency '4')");
is($session->rows($all), $rows{$all}, 'more at once than Xero allows: all rows in the end');
$sandbox->reset(limits => JSON::PP::true(), minute_limit => 60, concurrency => 1, latency => 50);
be_another_app();
$session->rows("ALTER SERVER xero OPTIONS (SET concurrency '1')");
$mark = $sandbox->mark;
is($session->rows($all), $rows{$all}, 'one at a time');
is(scalar(grep { ($_->{in_flight} // 1) > 1 } $sandbox->log($mark)), 0, 'is one at a time');
is(scalar(grep { $_->{status} != 200 } $sandbox->log($mark)), 0, 'and is never refused');

# ---- no part of a list is taken for the whole ----

$sandbox->reset(limits => JSON::PP::false());
be_another_app();
$session->rows("ALTER SERVER xero OPTIONS (DROP concurrency)");
foreach my $bytes (0, 1, 300, 3000, 9000)
{
	suffers("second page cut at $bytes once", $all, { truncate => $bytes, after => 1, times => 1 }, '00000', 4);
}
suffers('last page always cut', $all, [
	{ path => $list, after => 2, truncate => 5000 } ], '08006', 7, qr/connection to Xero was lost/);
suffers('page dropped after the work', $all, { drop => 'after', after => 1, times => 1 }, '00000', 4);
suffers('page dropped before the work', $all, { drop => 'before', after => 1, times => 1 }, '00000', 4);

# libcurl itself sends again what went to a kept connection that turns out to
# be dead, so the attempts are counted where they are made.
$session->rows('CREATE TABLE before AS SELECT max(at) AS at FROM xero_fdw.requests');
suffers('always dropped', $all, { drop => 'before' }, '08006', undef, qr/connection to Xero was lost for server "xero"\nDETAIL:  GET /);
is($session->rows("SELECT string_agg(attempt::text, ',' ORDER BY r.at) FROM xero_fdw.requests r, before b WHERE r.at > b.at AND error = 'connection lost'"),
	'1,2,3,4,5', 'five attempts');

# A second page that is whole, but wrong.
my ($second) = grep { /page=2/ } map { $_->{query} } $sandbox->log;
foreach my $case (
	[ 'an empty page', '{"Invoices": []}' ],
	[ 'an empty page with a count', '{"pagination": {"page": 2, "pageSize": 100, "pageCount": 3, "itemCount": 250}, "Invoices": []}' ],
	[ 'a page of one', '{"Invoices": [{"InvoiceID": "00000000-0000-0000-0000-000000000001", "Total": 1}]}' ],
	[ 'a page that says that it is the last', '{"pagination": {"page": 2, "pageSize": 100, "pageCount": 2, "itemCount": 250}, "Invoices": [{"InvoiceID": "00000000-0000-0000-0000-000000000001", "Total": 1}]}' ])
{
	my ($name, $body) = @$case;
	$sandbox->data(path => $list, query => $second, body => $body);
	$result = $session->try($all);
	is($result->{state}, 'HV00L', "$name: SQLSTATE") or diag($result->{text}, $result->{rows});
	like($result->{text}, qr/foreign table "invoices" was not read completely\nDETAIL:  Xero counted 250 records but sent \d+\.|same page/, "$name: message");
	$sandbox->data(path => $list, query => $second, body => undef);
}
is($session->rows($all), $rows{$all}, 'afterwards');

$session->quit;
done_testing();
