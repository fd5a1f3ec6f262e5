# Scans that run many times with other values: they cost as much as the list that
# has all answers, at most twice, however many values there are.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--strict', '--no-limits' ]);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session;

# 120 contacts are 6 pages here; what is known of them is given.
sub fresh
{
	my ($known) = @_;
	$session->quit if $session;
	$session = XeroSession->new($node);
	$session->rows('SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off; SET enable_memoize = off');
	$session->rows('SELECT xero_fdw.reset_stats()');
	$session->rows($known ? 'SELECT count(*) FROM paged' : 'SELECT count(*) FROM xero.organisation');
	return;
}

# GETs of single records and pages of lists.
sub calls_of
{
	my ($sql) = @_;
	my $mark = $sandbox->mark;
	my $rows = $session->rows($sql);
	my @calls = $sandbox->calls($mark);
	my $single = grep { m{/Contacts/[0-9a-f-]{36}} } @calls;
	return ($rows, $single, @calls - $single, @calls);
}

sub costs
{
	my ($name, $sql, $single, $pages) = @_;
	my ($rows, @cost) = calls_of($sql);
	(my $local = $sql) =~ s/\b(xero\.contacts|paged)\b/copy/g;
	is($rows, $session->rows($local), "$name: rows");
	is("@cost[0, 1]", "$single $pages", "$name: single records, pages");
	return @cost[ 2 .. $#cost ];
}

$node->safe_psql('postgres', <<'SQL');
CREATE FOREIGN TABLE paged (contact_id uuid, name text, contact_status text, updated_date_utc timestamptz)
	SERVER xero OPTIONS (object 'accounting/Contacts', page_size '20');
CREATE TABLE copy AS SELECT * FROM paged;
CREATE TABLE keys AS SELECT row_number() OVER (ORDER BY contact_id) AS n, contact_id, name FROM copy;
ANALYZE copy, keys;
SQL
my $scalar = 'SELECT string_agg((SELECT name FROM paged AS p WHERE p.contact_id = k.contact_id), q ORDER BY n) FROM keys AS k, (VALUES (chr(10))) AS v(q) WHERE n <=';

# 1. However many keys there are, where the length of the list is known
for (1, 2, 5, 6, 7, 20, 120)
{
	fresh(1);
	costs("$_ keys", "$scalar $_", $_ > 6 ? (6, 6) : ($_, 0));
}

# 2. Where it is not: the third one shows it
for ([ 1, 1, 0 ], [ 2, 2, 0 ], [ 3, 3, 1 ], [ 5, 5, 1 ], [ 6, 5, 7 ], [ 120, 5, 7 ])
{
	fresh(0);
	costs("$_->[0] keys of nobody knows how many", "$scalar $_->[0]", @{$_}[ 1, 2 ]);
}
fresh(0);
costs('one page is read at once', 'SELECT string_agg((SELECT name FROM xero.contacts AS p WHERE p.contact_id = k.contact_id), chr(10) ORDER BY n) FROM keys AS k', 2, 1);

# 3. Keys that come again, keys that are null or nobody's
fresh(1);
costs('the same keys again', 'SELECT g, n, (SELECT name FROM paged AS p WHERE p.contact_id = k.contact_id) FROM generate_series(1, 4) AS g, keys AS k WHERE n <= 5 ORDER BY 1, 2', 5, 0);
costs('null and nobody', q{SELECT g, (SELECT name FROM paged AS p WHERE p.contact_id = k.id)
	FROM generate_series(1, 9) AS g, (VALUES (NULL::uuid), ('00000000-0000-0000-0000-000000000001')) AS k(id) ORDER BY 1, 2}, 1, 0);
costs('among many', q{SELECT n, (SELECT name FROM paged AS p WHERE p.contact_id = CASE n % 3 WHEN 0 THEN k.contact_id WHEN 1 THEN '00000000-0000-0000-0000-000000000001' END) FROM keys AS k ORDER BY 1}, 6, 6);
is(scalar(grep { m{/00000000-} } (calls_of("SELECT (SELECT name FROM paged AS p WHERE p.contact_id = k.id) FROM generate_series(1, 3), (VALUES (NULL::uuid), ('00000000-0000-0000-0000-000000000001')) AS k(id)"))[ 3 .. 3 ]),
	1, 'a key that is nobody\'s is asked for once');

costs('null after the list', q{SELECT n, (SELECT name FROM paged AS p WHERE p.contact_id = CASE WHEN n % 10 > 0 THEN k.contact_id END) FROM keys AS k ORDER BY 1}, 6, 6);

# 4. The shapes in which PostgreSQL shows keys one by one
for (
	[ 'LATERAL with LIMIT', 'SELECT n, s.name FROM keys AS k LEFT JOIN LATERAL (SELECT name FROM paged AS p WHERE p.contact_id = k.contact_id LIMIT 1) AS s ON true ORDER BY 1', 6 ],
	[ 'EXISTS', q{SELECT count(*) FROM keys AS k WHERE EXISTS (SELECT FROM paged AS p WHERE p.contact_id = k.contact_id AND p.contact_status = 'ACTIVE' OFFSET 0)}, 3 ],
	[ 'an inner join', 'SELECT count(p.name) FROM keys AS k JOIN paged AS p ON p.contact_id = k.contact_id AND k.n > 0', 6 ],
	[ 'a left join', 'SELECT n, p.name FROM (SELECT * FROM keys OFFSET 0) AS k LEFT JOIN paged AS p USING (contact_id) ORDER BY 1', 6 ],
	[ 'an anti-join', 'SELECT count(*) FROM keys AS k WHERE NOT EXISTS (SELECT FROM paged AS p WHERE p.contact_id = k.contact_id)', 6 ])
{
	my ($name, $sql, $most) = @$_;
	fresh(1);
	my ($rows, $single, $pages) = calls_of($sql);
	(my $local = $sql) =~ s/\bpaged\b/copy/g;
	is($rows, $session->rows($local), "$name: rows");
	cmp_ok($single + $pages, '<=', 13, "$name: calls");
}
$node->safe_psql('postgres', q{CREATE FUNCTION names_of(id uuid) RETURNS SETOF text LANGUAGE sql STABLE AS 'SELECT name FROM paged WHERE contact_id = id OFFSET 0'});
fresh(1);
my ($rows, $single, $pages) = calls_of('SELECT count(f) FROM keys AS k, names_of(contact_id) AS f');
is("$rows $single $pages", '120 6 6', 'a function that is inlined');

# 5. Other conditions: the same in all runs, and others in each
fresh(1);
my @calls = costs('a condition of all runs', q{SELECT n, (SELECT name FROM paged AS p WHERE p.contact_id = k.contact_id AND p.contact_status = 'ARCHIVED') FROM keys AS k ORDER BY 1}, 2, 1);
like($calls[-1], qr/where=ContactStatus=="ARCHIVED"/, 'it is sent with the list');
fresh(1);
costs('a second value', q{SELECT n, (SELECT name FROM paged AS p WHERE p.contact_id = k.contact_id AND p.contact_status = CASE WHEN n < 60 THEN 'ACTIVE' ELSE 'ARCHIVED' END) FROM keys AS k ORDER BY 1}, 5, 1 + 6 + 6);
fresh(1);
costs('ranges', q{SELECT n, (SELECT count(p.name) FROM paged AS p WHERE p.updated_date_utc >= timestamptz '2025-01-01' + make_interval(days => n::int * 5)) FROM keys AS k ORDER BY 1}, 0, 4 + 6);
fresh(1);
costs('text, which is another thing to Xero', q{SELECT n, s, (SELECT count(p.contact_id) FROM paged AS p WHERE p.name = s) FROM keys AS k, LATERAL (VALUES (k.name), (upper(k.name)), (k.name || ' ')) AS v(s) ORDER BY 1, 2}, 0, 12);

# 6. What the table leaves out stays out
$node->safe_psql('postgres', q{CREATE FOREIGN TABLE living (contact_id uuid, name text) SERVER xero OPTIONS (object 'accounting/Contacts', page_size '20', include_archived 'false')});
fresh(1);
is($session->rows('SELECT count((SELECT name FROM living AS p WHERE p.contact_id = k.contact_id)) FROM keys AS k'), $session->rows(q{SELECT count(*) FROM copy WHERE contact_status <> 'ARCHIVED'}), 'archived records of keys');

# 7. A list that is longer than it was, a failure while it is read, and little memory
fresh(1);
$sandbox->control('data', { object => 'Contacts', records => [ map { { ContactID => sprintf('aaaaaaaa-0000-4000-8000-%012d', $_), Name => "New $_", ContactStatus => 'ACTIVE' } } 1 .. 20 ] });
($rows, $single, $pages) = calls_of('SELECT count((SELECT name FROM paged AS p WHERE p.contact_id = k.contact_id)) FROM keys AS k');
is("$rows $single $pages", '120 7 8', 'a page more than was known');
$sandbox->faults({ path => '/api.xro/2.0/Contacts', after => 2, times => 9, status => 400 });
isnt($session->try("$scalar 120")->{state}, '00000', 'a list that fails is an error');
$sandbox->faults();
is($session->rows(q{SET work_mem = '64kB'; SELECT count((SELECT name FROM paged AS p WHERE p.contact_id = k.contact_id)) FROM keys AS k, generate_series(1, 20)}), 2400, 'with little memory');

# 8. Cancelled while the list comes; then the slots are free
$sandbox->faults({ path => '/api.xro/2.0/Contacts', delay_ms => 20000 });
is($session->try("SET statement_timeout = '1s'; $scalar 120")->{state}, '57014', 'cancelled while the list is read');
$sandbox->faults();
is($session->rows('RESET statement_timeout; SELECT sum(in_flight) FROM xero_fdw.budget'), 0, 'no slot is left');
is($session->rows("$scalar 1"), $session->rows('SELECT name FROM keys WHERE n = 1'), 'and the next statement works');

# 9. Columns that take a call a record: the list would not be the cheaper way
$node->safe_psql('postgres', q{ALTER FOREIGN TABLE paged ADD COLUMN has_attachments boolean, ADD COLUMN attachments jsonb OPTIONS (field 'Attachments')});
fresh(1);
($rows, $single, $pages) = calls_of('SELECT count(*) - count(attachments) FROM keys AS k, LATERAL (SELECT attachments FROM paged AS p WHERE p.contact_id = k.contact_id OFFSET 0) AS s WHERE n < 15');
is("$rows $single $pages", '14 14 0', 'a column that lists lack');

# 10. EXPLAIN tells
fresh(1);
like($session->rows("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $scalar 100"), qr/Xero Actual Calls: 14\n.*Xero Loops Without Calls: 92\n/, 'EXPLAIN ANALYZE');
is($session->rows("PREPARE p AS SELECT name FROM paged WHERE contact_id = \$1; SET plan_cache_mode = force_generic_plan; SELECT 1"), 1, 'a prepared statement');
($rows, $single, $pages) = calls_of("EXECUTE p ('aaaaaaaa-0000-4000-8000-000000000001')");
is("$rows $single $pages", 'New 1 1 0', 'asks for its key, each time');

# 11. More values at once than the list has pages, in an array that comes at run time
$node->safe_psql('postgres', q{CREATE FOREIGN TABLE wide (contact_id uuid, name text, contact_status text) SERVER xero OPTIONS (object 'accounting/Contacts', page_size '100')});
fresh(1);
$session->rows('SELECT count(*) FROM wide');
for (
	[ 'ARRAY(SELECT)', 'SELECT count(name) FROM wide WHERE contact_id = ANY (ARRAY(SELECT contact_id FROM keys WHERE n <= %d))' ],
	[ 'with another condition', q{SELECT count(*) FROM wide WHERE contact_id = ANY (ARRAY(SELECT contact_id FROM keys WHERE n <= %d)) AND name <> 'x' AND contact_status IN ('ACTIVE', 'ARCHIVED', 'GDPRREQUEST')} ],
	[ 'in a join', 'SELECT count(name) FROM wide JOIN keys USING (contact_id, name) WHERE contact_id = ANY (ARRAY(SELECT contact_id FROM keys WHERE n <= %d))' ])
{
	for my $n (30, 80, 120)
	{
		my ($rows, $single, $pages) = calls_of(sprintf($_->[1], $n));
		is("$rows $single $pages", "$n 0 " . ($n > 40 ? 2 : 1), "$n keys, $_->[0]");
	}
}
$session->rows('PREPARE a AS SELECT count(name) FROM wide WHERE contact_id = ANY ($1)');
my $all = $session->rows(q{SELECT array_agg(contact_id) FROM keys});
($rows, $single, $pages) = calls_of("EXECUTE a ('$all')");
is("$rows $single $pages", '120 0 2', 'in a generic plan');
($rows, $single, $pages) = calls_of('SELECT count(name) FROM (SELECT name FROM wide WHERE contact_id = ANY (ARRAY(SELECT contact_id FROM keys)) LIMIT 3) AS x');
is("$rows $single $pages", '3 0 1', 'with LIMIT, one list may do');
fresh(0);
$session->rows('SET plan_cache_mode = force_generic_plan; PREPARE a AS SELECT count(name) FROM wide WHERE contact_id = ANY ($1)');
($rows, $single, $pages) = calls_of("EXECUTE a ('$all')");
is("$rows $single $pages", '120 0 3', 'a list of unknown length, thought to be longer');

# 12. Rows that the statement writes
my $names = $session->rows('SELECT string_agg(name, chr(10) ORDER BY n) FROM keys WHERE n <= 100');
fresh(1);
my $mark = $sandbox->mark;
$session->rows('SET enable_nestloop = on; UPDATE xero.contacts AS c SET account_number = k.n::text FROM keys AS k WHERE c.contact_id = k.contact_id AND k.n <= 100');
my @reads = grep { /^GET/ } $sandbox->calls($mark);
cmp_ok(scalar(@reads), '<=', 3, 'UPDATE FROM: two records and a page');
my %numbers = map { ($_->{ContactID} => $_->{AccountNumber} // '') } @{ $sandbox->state('Contacts') };
is(join(' ', map { $numbers{$_} } split(/\n/, $session->rows('SELECT contact_id FROM keys WHERE n <= 100 ORDER BY n'))), join(' ', 1 .. 100), 'and the rows are written');

done_testing();
