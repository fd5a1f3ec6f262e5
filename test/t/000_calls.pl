# What statements cost in calls, as the sandbox saw them.
use strict;
use warnings;

use List::Util qw(max uniq);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSession;
use XeroTest;

my $many = 100_000;
my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--strict', '--no-limits', '--invoices', $many ],
	server => { request_timeout => 600000 });    # a busy machine is no reason for a retry
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
my $list = 'GET /api.xro/2.0/Invoices';
my $all = 'includeArchived=true&unitdp=4';

# The calls of a statement in this session, and what it returned.
sub calls_of
{
	my ($sql) = @_;
	my $mark = $sandbox->mark;
	my $rows = $session->rows($sql);
	return ($rows, $sandbox->calls($mark));
}

sub costs
{
	my ($name, $sql, $rows, @expected) = @_;
	my ($got, @calls) = calls_of($sql);
	is($got, $rows, "$name: rows") if defined $rows;
	is_deeply([ sort @calls ], [ sort @expected ], "$name: calls");
	return $got;
}

sub pages { my ($query) = @_; return map { "$list?$query&page=$_&pageSize=1000" } 1 .. $many / 1000; }

# The whole list: the full form where lines are wanted, else the summary form;
# never more calls at once than the server allows, and never one by one.
my $mark = $sandbox->mark;
costs('100,000 invoices with their lines',
	q{SELECT count(*), count(DISTINCT invoice_id), count(*) FILTER (WHERE line_items = '[]') FROM xero.invoices},
	"$many|$many|0", pages("order=InvoiceID&$all"));
my @flight = map { $_->{in_flight} } $sandbox->log($mark);
cmp_ok(max(@flight), '<=', 5, 'no more than five calls at once');
cmp_ok(max(@flight), '>=', 2, 'pages are asked for ahead');
costs('count(*)', 'SELECT count(*) FROM xero.invoices', $many, "$list?summaryOnly=true&$all&page=1&pageSize=1");

# The rest needs fewer, and a session that has not learned how many there are.
$many = 5000;
$sandbox->reset(invoices => $many);
$session = XeroSession->new($node);
costs('totals only', 'SELECT count(DISTINCT invoice_id), count(total::text) FROM xero.invoices',
	"$many|$many", pages("order=InvoiceID&summaryOnly=true&$all"));
$session = XeroSession->new($node);
costs('count(*) of a part', q{SELECT count(*) > 0 FROM xero.invoices WHERE status = 'PAID'}, 't',
	"$list?Statuses=PAID&summaryOnly=true&$all&page=1&pageSize=1");

# one record
my $id = '5d4c0bad-f188-4b5b-988a-2f9aa300e3b6';
my $none = '00000000-0000-0000-0000-000000000001';
costs('one invoice', "SELECT invoice_number FROM xero.invoices WHERE invoice_id = '$id'", 'INV-000000', "$list/$id?unitdp=4");
costs('one invoice with lines', "SELECT jsonb_array_length(line_items) > 0 FROM xero.invoices WHERE invoice_id = '$id' AND total > 0",
	't', "$list/$id?unitdp=4");
costs('an invoice that is not', "SELECT invoice_number FROM xero.invoices WHERE invoice_id = '$none'", '', "$list/$none?unitdp=4");
costs('its lines', "SELECT count(*) > 0 FROM xero.invoice_line_items WHERE invoice_id = '$id'", 't', "$list/$id?unitdp=4");
costs('lines of none', "SELECT count(*) FROM xero.invoice_line_items WHERE invoice_id = '$none'", '0', "$list/$none?unitdp=4");
costs('a null key', 'SELECT invoice_number FROM xero.invoices WHERE invoice_id = NULLIF(invoice_id, invoice_id) AND invoice_id = (SELECT NULL::uuid)', '');

# LIMIT
costs('LIMIT 10', 'SELECT count(*) FROM (SELECT invoice_id FROM xero.invoices LIMIT 10) AS x', 10,
	"$list?order=InvoiceID&summaryOnly=true&$all&page=1&pageSize=10");
costs('LIMIT 10 with lines', 'SELECT count(line_items) FROM (SELECT line_items FROM xero.invoices LIMIT 10) AS x', 10,
	"$list?order=InvoiceID&$all&page=1&pageSize=10");
costs('the five largest', 'SELECT count(*) FROM (SELECT total FROM xero.invoices ORDER BY total DESC LIMIT 5) AS x', 5,
	"$list?order=Total DESC&summaryOnly=true&$all&page=1&pageSize=5");
costs('a limit over what is checked here', q{SELECT count(*) FROM (SELECT 1 FROM xero.invoices WHERE reference <> 'x' LIMIT 900) AS x}, 900,
	map { "$list?order=InvoiceID&summaryOnly=true&$all&page=$_&pageSize=1000" } 1 .. 2);
costs('EXISTS', q{SELECT EXISTS (SELECT FROM xero.invoices WHERE reference <> 'x')}, 't',
	"$list?order=InvoiceID&summaryOnly=true&$all&page=1&pageSize=1000");
# A loop that ends early: no page ahead of what it has asked for
costs('a loop', q{DO $$ DECLARE r record; n integer := 0; BEGIN FOR r IN SELECT total FROM xero.invoices LOOP n := n + 1; EXIT WHEN n = 60; END LOOP; END $$}, '',
	"$list?order=InvoiceID&summaryOnly=true&$all&page=1&pageSize=1000");
# What is below a sort, an aggregate or a hash table is read to its end, so its
# pages are asked for ahead.
$sandbox->faults({ path => '/api.xro/2.0/Invoices', delay_ms => 100 });
$session->rows('CREATE TEMP TABLE one AS SELECT 1 AS n; ANALYZE one');
for my $sql ('SELECT 1 FROM (SELECT invoice_number FROM xero.invoices ORDER BY invoice_number LIMIT 1) AS x',
	q{SELECT DISTINCT 1 FROM (SELECT status, reference FROM xero.invoices GROUP BY 1, 2 LIMIT 2) AS x},
	q{SELECT n FROM one WHERE n::text NOT IN (SELECT total::text FROM xero.invoices) LIMIT 1},
	q{DO $$ DECLARE r record; BEGIN FOR r IN SELECT total FROM xero.invoices ORDER BY invoice_number LOOP EXIT; END LOOP; END $$})
{
	$mark = $sandbox->mark;
	$session->rows($sql);
	is(scalar($sandbox->calls($mark)), $many / 1000, "each page once: $sql");
	cmp_ok(max(map { $_->{in_flight} } $sandbox->log($mark)), '>=', 4, '... some at once');
}
# Lists that are read one after the other are asked for side by side, unless the first
# one may have what is wanted.
my $lists = join(' UNION ALL ', map { "SELECT invoice_number, reference FROM xero.invoices WHERE status = '$_'" } qw(DRAFT SUBMITTED VOIDED PAID));
foreach my $case ([ "SELECT count(reference) FROM ($lists) AS x", 5, 4 ],
	[ "SELECT invoice_number FROM ($lists) AS x ORDER BY 1 LIMIT 1", 5, 4 ], [ "SELECT reference FROM ($lists) AS x LIMIT 1", 1, 1 ])
{
	my ($sql, $calls, $at_once) = @$case;
	$mark = $sandbox->mark;
	$session->rows($sql);
	is(scalar($sandbox->calls($mark)), $calls, "each page once: $sql");
	is(max(map { $_->{in_flight} } $sandbox->log($mark)), $at_once, '... so many at once');
}
# So are the first pages of lists that are merged.
$sandbox->faults(map { { path => "/api.xro/2.0/$_", delay_ms => 100 } } qw(Invoices Contacts CreditNotes));
$mark = $sandbox->mark;
my $merged = join(' UNION ALL ', map { "SELECT updated_date_utc FROM xero.$_" } qw(invoices contacts credit_notes));
$session->rows("SELECT * FROM ($merged) AS x ORDER BY 1 LIMIT 3");
is(scalar($sandbox->calls($mark)), 3, 'the first page of each');
is(max(map { $_->{in_flight} } $sandbox->log($mark)), 3, '... all at once');
$sandbox->faults;
# Chunks: the pages of the chunk, some at once, and none besides
$sandbox->faults({ path => '/api.xro/2.0/Invoices', delay_ms => 100 });
$mark = $sandbox->mark;
costs('a chunk', 'SELECT count(DISTINCT invoice_id) FROM (SELECT invoice_id FROM xero.invoices LIMIT 3000 OFFSET 1000) AS x', 3000,
	map { "$list?order=InvoiceID&summaryOnly=true&$all&page=$_&pageSize=1000" } 2 .. 4);
is(max(map { $_->{in_flight} } $sandbox->log($mark)), 2, 'the first page tells that there are two more');
$sandbox->faults;
costs('all chunks', 'SELECT count(DISTINCT invoice_id) FROM (' . join(' UNION ALL ', map { "(SELECT invoice_id FROM xero.invoices LIMIT 2000 OFFSET $_)" } 0, 2000, 4000) . ') AS x',
	$many, map { "$list?order=InvoiceID&summaryOnly=true&$all&page=$_&pageSize=1000" } 1 .. 5);
costs('a chunk behind the end', 'SELECT count(*) FROM (SELECT invoice_id FROM xero.invoices LIMIT 5000 OFFSET 5000) AS x', 0,
	"$list?order=InvoiceID&summaryOnly=true&$all&page=6&pageSize=1000");
costs('LIMIT 0', 'SELECT invoice_id FROM xero.invoices LIMIT 0', '');

# 200 keys, as an array, as a list, and as the parameter of a prepared
# statement: five requests with 40 keys each, and each key in one of them.
my @ids = split /\n/, $session->rows('SELECT invoice_id FROM xero.invoices LIMIT 200');
is(scalar(@ids), 200, 'there are 200 keys');
my $array = '{' . join(',', @ids) . '}';
sub in_five
{
	my ($name, $sql, $form) = @_;
	my ($rows, @calls) = calls_of($sql);
	is($rows, 200, "$name: rows");
	my @lists = map { [ split /,/, (/[?&]IDs=([^&]*)/)[0] // '' ] } @calls;
	is_deeply([ map { scalar @$_ } @lists ], [ (40) x 5 ], "$name: 40 keys in each of five calls");
	is_deeply([ sort map { @$_ } @lists ], [ sort @ids ], "$name: each key once");
	is_deeply([ uniq(map { s/IDs=[^&]*/IDs=.../r } @calls) ], [ "$list?IDs=...&order=InvoiceID&$form$all&page=1&pageSize=1000" ], "$name: requests");
	return;
}
in_five('= ANY', "SELECT count(total::text) FROM xero.invoices WHERE invoice_id = ANY ('$array')", 'summaryOnly=true&');
in_five('IN', 'SELECT count(line_items) FROM xero.invoices WHERE invoice_id IN (' . join(', ', map { "'$_'" } @ids, @ids) . ')', '');
$session->rows('PREPARE k(uuid[]) AS SELECT count(total::text) FROM xero.invoices WHERE invoice_id = ANY ($1)');
$session->rows("SET plan_cache_mode = '$_'"), in_five("prepared, $_", "EXECUTE k('$array')", 'summaryOnly=true&')
  for qw(force_custom_plan force_generic_plan);
$session->rows('RESET plan_cache_mode');
in_five('of a subquery', "SELECT count(total::text) FROM xero.invoices WHERE invoice_id = ANY (ARRAY(SELECT unnest('$array'::uuid[])))", 'summaryOnly=true&');

# Joins: one list of the keys, in any order; where the keys show one by one, a call
# for each.  Those that come again are remembered.
$session->rows("CREATE TEMP TABLE wanted AS SELECT unnest('$array'::uuid[]) AS id LIMIT 3; INSERT INTO wanted TABLE wanted; INSERT INTO wanted TABLE wanted; ANALYZE wanted");
my @three = @ids[ 0 .. 2 ];

sub in_one
{
	my ($name, $sql, $wanted, $form) = @_;
	my ($got, @calls) = calls_of($sql);
	is($got, $wanted, "$name: rows");
	s/IDs=([^&]*)/'IDs=' . join(',', sort split(m{,}, $1))/e for @calls;
	is_deeply(\@calls, [ "$list?IDs=" . join(',', sort @three) . "&order=InvoiceID&$form$all&page=1&pageSize=1000" ], "$name: one call");
	return;
}
in_one('a join over three keys', 'SELECT count(i.total) FROM wanted AS w JOIN xero.invoices AS i ON i.invoice_id = w.id', 12, 'summaryOnly=true&');
in_one('a left join', 'SELECT count(*), count(i.total) FROM wanted AS w LEFT JOIN xero.invoices AS i ON i.invoice_id = w.id', '12|12', 'summaryOnly=true&');
in_one('a semi-join', 'SELECT count(total::text) FROM xero.invoices WHERE invoice_id IN (SELECT id FROM wanted)', 3, 'summaryOnly=true&');
in_one('lines of three', 'SELECT count(DISTINCT w.id) FROM wanted AS w JOIN xero.invoice_line_items AS l ON l.invoice_id = w.id', 3, '');
costs('LATERAL', 'SELECT count(*) FROM (SELECT DISTINCT id FROM wanted) AS w, LATERAL (SELECT total FROM xero.invoices WHERE invoice_id = w.id LIMIT 1) AS i', 3, map { "$list/$_?unitdp=4" } @three);

# Values that come at run time
$session->rows(q{SET plan_cache_mode = 'force_generic_plan'; PREPARE one(uuid) AS SELECT count(total::text) FROM xero.invoices WHERE invoice_id = $1;
PREPARE status(text, date) AS SELECT count(total::text) > 0 FROM xero.invoices WHERE status = $1 AND date > $2});
costs('generic plan, key', "EXECUTE one('$id')", 1, "$list/$id?unitdp=4");
costs('generic plan, null key', 'EXECUTE one(NULL)', 0);
my (undef, @status) = calls_of(q{EXECUTE status('DRAFT', '2024-12-31')});
my ($first) = grep { /[?&]page=1&/ } @status;
is($first, "$list?Statuses=DRAFT&where=Date>=DateTime(2025,1,1)&order=InvoiceID&summaryOnly=true&$all&page=1&pageSize=1000", 'generic plan, text and date');

# If-Modified-Since is the whole second before; what Xero sends beyond is dropped here.
$mark = $sandbox->mark;
my $since = $session->rows(q{SELECT count(total::text) FROM xero.invoices WHERE updated_date_utc >= '2026-09-30 20:00:00.75+02'});
my @log = grep { XeroSandbox::is_api_call($_) } $sandbox->log($mark);
is_deeply([ uniq(map { $_->{headers}{'if-modified-since'} } @log) ], ['2026-09-30T17:59:59'], 'If-Modified-Since');
is(XeroSandbox::as_line($log[0]), "$list?order=InvoiceID&summaryOnly=true&$all&page=1&pageSize=1000", 'and nothing else');
cmp_ok(scalar(@log), '<', 10, 'few pages');
is($since, $session->rows(q{SELECT count(*) FILTER (WHERE updated_date_utc >= '2026-09-30 20:00:00.75+02') FROM xero.invoices WHERE updated_date_utc > '2026-09-29'}),
	'the same rows as without');

done_testing();
