# Bind joins: the keys of a relation are looked up many a call, whatever kind of
# join it is, and by whatever column Xero finds many values of.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--strict', '--no-limits', '--invoices', 3000, '--contacts', 600 ]);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session;

# What is known of the lists is given: 30 pages of invoices, 6 of contacts.
$node->safe_psql('postgres', q{
CREATE SCHEMA copy;
CREATE SCHEMA paged;
IMPORT FOREIGN SCHEMA accounting LIMIT TO (invoices, contacts, payments, invoice_line_items) FROM SERVER xero INTO paged;
ALTER FOREIGN TABLE paged.invoices OPTIONS (ADD page_size '100');
ALTER FOREIGN TABLE paged.contacts OPTIONS (ADD page_size '100');
ALTER FOREIGN TABLE paged.payments OPTIONS (ADD page_size '100');
ALTER FOREIGN TABLE paged.invoice_line_items OPTIONS (ADD page_size '100');
CREATE TABLE copy.invoices AS SELECT * FROM xero.invoices;
CREATE TABLE copy.contacts AS SELECT * FROM xero.contacts;
CREATE TABLE copy.payments AS SELECT * FROM xero.payments;
CREATE TABLE copy.invoice_line_items AS SELECT * FROM xero.invoice_line_items;
CREATE TABLE keys AS SELECT row_number() OVER (ORDER BY md5(invoice_id::text)) AS n, invoice_id, contact_id, invoice_number, contact_name
	FROM copy.invoices WHERE type = 'ACCREC';
ALTER TABLE keys ADD PRIMARY KEY (n);
CREATE TABLE people AS SELECT row_number() OVER (ORDER BY md5(contact_id::text)) AS n, contact_id, name, email_address
	FROM copy.contacts WHERE email_address <> '';
ANALYZE;
});

sub fresh
{
	$session->quit if $session;
	$session = XeroSession->new($node);
	$session->rows(join(';', map { "SELECT count(*) FROM paged.$_" } qw(invoices contacts payments)));
	return;
}

# The rows are those of the copies, and so many calls are made.
sub costs
{
	my ($name, $sql, $most) = @_;
	my $mark = $sandbox->mark;
	my $rows = $session->rows($sql);
	my @calls = grep { /^GET/ } $sandbox->calls($mark);
	(my $local = $sql) =~ s/\bpaged\./copy./g;
	is($rows, $session->rows($local), "$name: rows");
	is(scalar(@calls), $most, "$name: calls") or diag(join("\n", @calls, $session->rows("EXPLAIN $sql")));
	return @calls;
}

# 1. Each kind of join, by key
fresh();
my $few = '(SELECT * FROM keys WHERE n <= 20) AS k';
my @calls = costs('inner join', "SELECT n, i.total FROM $few JOIN paged.invoices AS i USING (invoice_id) ORDER BY n", 1);
like($calls[0], qr{^GET /api.xro/2.0/Invoices\?IDs=([0-9a-f-]{36},){19}[0-9a-f-]{36}&}, 'by a list of the keys');
costs('left join', "SELECT n, i.total FROM $few LEFT JOIN paged.invoices AS i ON i.invoice_id = k.invoice_id AND i.status = 'PAID' ORDER BY n", 1);
costs('semi-join', "SELECT n FROM $few WHERE EXISTS (SELECT FROM paged.invoices AS i WHERE i.invoice_id = k.invoice_id AND i.status = 'PAID') ORDER BY n", 1);
costs('anti-join', "SELECT n FROM $few WHERE NOT EXISTS (SELECT FROM paged.invoices AS i WHERE i.invoice_id = k.invoice_id AND i.status = 'PAID') ORDER BY n", 1);
costs('IN', "SELECT total FROM paged.invoices WHERE invoice_id IN (SELECT invoice_id FROM $few) ORDER BY 1", 1);
costs('NOT IN', "SELECT n FROM $few WHERE invoice_id NOT IN (SELECT invoice_id FROM paged.invoices) ORDER BY 1", 30);
costs('LATERAL', "SELECT n, s.total FROM $few, LATERAL (SELECT total FROM paged.invoices AS i WHERE i.invoice_id = k.invoice_id) AS s ORDER BY n", 1);
costs('100 keys', 'SELECT n, i.total FROM keys AS k JOIN paged.invoices AS i USING (invoice_id) WHERE n <= 100 ORDER BY n', 3);
costs('many keys: the list', 'SELECT count(*), sum(i.total) FROM keys AS k JOIN paged.invoices AS i USING (invoice_id)', 30);
costs('pages that are read anyway are shared', "SELECT i.invoice_number FROM paged.invoices AS i WHERE EXISTS (SELECT FROM paged.invoice_line_items AS l WHERE l.invoice_id = i.invoice_id AND l.account_code = '260') ORDER BY 1", 30);
costs('no key', 'SELECT n FROM keys AS k JOIN paged.invoices AS i USING (invoice_id) WHERE n < 0', 0);
costs('aggregated', "SELECT i.status, count(*), sum(i.total) FROM $few JOIN paged.invoices AS i USING (invoice_id) GROUP BY 1 ORDER BY 1", 1);

# 2. By other columns, and child tables by their parents' keys
costs('contacts of invoices', "SELECT n, i.total FROM $few JOIN paged.invoices AS i USING (contact_id) ORDER BY 1, 2", 2);
costs('numbers', "SELECT n, i.total FROM $few JOIN paged.invoices AS i USING (invoice_number) ORDER BY 1, 2", 1);
costs('e-mail', 'SELECT n, c.name FROM people AS p JOIN paged.contacts AS c USING (email_address) WHERE n <= 10 ORDER BY 1, 2', 1);
costs('names', 'SELECT n, c.email_address FROM people AS p LEFT JOIN paged.contacts AS c USING (name) WHERE n <= 10 ORDER BY 1, 2', 1);
costs('payments of invoices', "SELECT n, p.amount FROM $few LEFT JOIN paged.payments AS p USING (invoice_id) ORDER BY 1, 2", 1);
costs('lines of invoices', "SELECT n, l.line_amount FROM $few JOIN paged.invoice_line_items AS l USING (invoice_id) ORDER BY 1, 2", 1);
costs('an expression', "SELECT n, i.total FROM $few JOIN paged.invoices AS i ON i.invoice_number = upper(lower(k.invoice_number)) ORDER BY 1, 2", 1);
costs('a column of another type', "SELECT n, i.total FROM (SELECT n, invoice_id::text AS id FROM $few) AS k JOIN paged.invoices AS i ON i.invoice_id = k.id::uuid ORDER BY 1, 2", 1);
costs('foreign with foreign', q{SELECT i.invoice_number, c.name FROM paged.invoices AS i JOIN paged.contacts AS c USING (contact_id) WHERE i.invoice_number IN ('INV-000010', 'INV-000020', 'INV-000030')}, 2);
costs('three tables', "SELECT n, c.name, p.amount FROM $few JOIN paged.invoices AS i USING (invoice_id) JOIN paged.contacts AS c ON c.contact_id = i.contact_id LEFT JOIN paged.payments AS p ON p.invoice_id = i.invoice_id ORDER BY 1, 2, 3", 3);

# 3. Nulls, keys that come again, nobody's keys, other conditions
my $odd = q{(SELECT g AS n, CASE g % 4 WHEN 0 THEN NULL WHEN 1 THEN invoice_id WHEN 2 THEN gen_random_uuid() ELSE (SELECT invoice_id FROM keys WHERE n = 3) END AS id, invoice_number FROM generate_series(1, 40) AS g JOIN keys ON n = g % 10 + 1) AS k};
for ([ 'inner', "JOIN paged.invoices AS i ON i.invoice_id = k.id" ], [ 'left', "LEFT JOIN paged.invoices AS i ON i.invoice_id = k.id" ],
	[ 'conditions of both', "LEFT JOIN paged.invoices AS i ON i.invoice_id = k.id AND i.invoice_number < k.invoice_number AND i.total > n" ])
{
	costs("odd keys, $_->[0]", "SELECT n, i.total FROM $odd $_->[1] ORDER BY 1", 1);
}
costs('odd keys, anti', "SELECT n FROM $odd WHERE NOT EXISTS (SELECT FROM paged.invoices AS i WHERE i.invoice_id = k.id) ORDER BY 1", 1);
costs('only nulls', 'SELECT n, i.total FROM keys LEFT JOIN paged.invoices AS i ON i.invoice_id = nullif(keys.invoice_id, keys.invoice_id) WHERE n < 5 ORDER BY 1', 0);
costs('text that is another thing to Xero', q{SELECT n, s, c.contact_id FROM people, LATERAL (VALUES (name), (upper(name)), (name || ' '), ('x,y')) AS v(s) LEFT JOIN paged.contacts AS c ON c.name = s WHERE n <= 8 ORDER BY 1, 2}, 1);
costs('a condition of all rows goes along', "SELECT n, i.total FROM $few JOIN paged.invoices AS i USING (contact_id) WHERE i.status = 'PAID' AND i.date > '2020-01-01' ORDER BY 1, 2", 1);

# 4. Keys that are more than a column of a table
costs('a value that the statement asks for once', "SELECT n, i.total FROM $few JOIN paged.invoices AS i ON i.invoice_number = k.invoice_number || (SELECT left(min(invoice_number), 0) FROM keys) ORDER BY 1, 2", 1);
costs('a value from above', 'SELECT g, (SELECT sum(i.total) FROM keys AS k JOIN paged.invoices AS i ON i.invoice_number = left(k.invoice_number, 10 - g) WHERE n < 10) FROM generate_series(0, 2) AS g ORDER BY 1', 3);
costs('of the null side of a join', "SELECT n, c.name FROM $few LEFT JOIN (SELECT n, coalesce(contact_id, NULL) AS id FROM people WHERE n % 2 = 0) AS p USING (n) LEFT JOIN paged.contacts AS c ON c.contact_id = coalesce(p.id, k.contact_id) ORDER BY 1", 1);
costs('of a row', 'SELECT k, (k).n, i.total FROM keys AS k JOIN paged.invoices AS i ON i.invoice_id = (k).invoice_id WHERE n <= 20 ORDER BY 2', 1);
costs('a volatile value is none', "SELECT n, i.total FROM $few JOIN paged.invoices AS i ON i.invoice_number = k.invoice_number || left(random()::text, 0) ORDER BY 1", 30);
$session->rows('SET geqo_threshold = 2');
costs('in an order of joins that was found by chance', "SELECT n, c.name, p.amount FROM $few JOIN paged.invoices AS i USING (invoice_id) JOIN paged.contacts AS c ON c.contact_id = i.contact_id LEFT JOIN paged.payments AS p ON p.invoice_id = i.invoice_id ORDER BY 1, 2, 3", 3);
$session->rows('RESET geqo_threshold');

# 5. LIMIT: a small batch first, then larger ones
costs('LIMIT', 'SELECT n, i.total FROM (SELECT * FROM keys ORDER BY n) AS k LEFT JOIN paged.invoices AS i USING (invoice_id) ORDER BY n LIMIT 5', 1);
costs('LIMIT of more', 'SELECT n, i.total FROM (SELECT * FROM keys ORDER BY n) AS k LEFT JOIN paged.invoices AS i USING (invoice_id) ORDER BY n LIMIT 100', 3);
my $mark = $sandbox->mark;
is($session->rows('SELECT count(*) FROM (SELECT FROM keys JOIN paged.invoices AS i USING (invoice_id) WHERE i.total > 0 LIMIT 60) AS x'), 60, 'LIMIT over an inner join');
cmp_ok(scalar($sandbox->calls($mark)), '<=', 3, 'takes no more than some calls');
$mark = $sandbox->mark;
is($session->rows('SELECT count(*) FROM (SELECT FROM paged.contacts AS c JOIN paged.invoices AS i USING (contact_id) LIMIT 3) AS x'), 3, 'LIMIT over foreign tables');
cmp_ok(scalar($sandbox->calls($mark)), '<=', 3, 'a page of each, perhaps two');

# 6. Runs again: subplans, cursors, prepared statements
costs('in a subplan', 'SELECT g, (SELECT sum(i.total) FROM keys AS k JOIN paged.invoices AS i USING (invoice_id) WHERE n BETWEEN g AND g + 2) FROM generate_series(1, 5) AS g ORDER BY 1', 5);
costs('in LATERAL', 'SELECT g, s.* FROM generate_series(1, 3) AS g, LATERAL (SELECT n, i.total > g AS more FROM keys AS k JOIN paged.invoices AS i USING (invoice_id) WHERE n <= 10 AND n % g = 0 OFFSET 0) AS s ORDER BY 1, 2', 1);
costs('an upper value that changes', q{SELECT g, (SELECT count(*) FROM keys AS k JOIN paged.invoices AS i USING (invoice_id) WHERE n <= 10 AND i.status = CASE g % 2 WHEN 0 THEN 'PAID' ELSE 'AUTHORISED' END) FROM generate_series(1, 4) AS g ORDER BY 1}, 1);
$session->rows("BEGIN; DECLARE c SCROLL CURSOR FOR SELECT n FROM $few LEFT JOIN paged.invoices AS i USING (invoice_id) ORDER BY n");
is($session->rows('FETCH 3 FROM c'), "1\n2\n3", 'a cursor');
is($session->rows('FETCH BACKWARD 2 FROM c'), "2\n1", 'that goes back');
is($session->rows('FETCH LAST FROM c; COMMIT'), 20, 'and to the end');
$session->rows('BEGIN; DECLARE c SCROLL CURSOR FOR SELECT k.n FROM keys AS k JOIN paged.invoices AS i USING (invoice_id) WHERE n <= 9');
my $forward = $session->rows('FETCH 9 FROM c');
is(join("\n", reverse split /\n/, $session->rows('FETCH BACKWARD 9 FROM c; COMMIT')), join("\n", (split /\n/, $forward)[ 0 .. 7 ]), 'back over the join itself')
  or diag($forward);
$session->rows(q{SET plan_cache_mode = force_generic_plan;
	PREPARE p (bigint, text) AS SELECT n, i.total FROM keys AS k JOIN paged.invoices AS i USING (invoice_id) WHERE n <= $1 AND i.status <> $2 ORDER BY n});
$mark = $sandbox->mark;
is($session->rows("EXECUTE p (5, 'VOIDED')"), $session->rows("SELECT n, i.total FROM keys AS k JOIN copy.invoices AS i USING (invoice_id) WHERE n <= 5 AND i.status <> 'VOIDED' ORDER BY n"), 'a generic plan')
  for 1 .. 2;
is(scalar($sandbox->calls($mark)), 2, 'each run of it asks once');
$session->rows('RESET plan_cache_mode');

# 7. The planner is wrong: few rows were expected, and there are many
$node->safe_psql('postgres', q{CREATE FUNCTION few() RETURNS TABLE (n bigint, invoice_id uuid) ROWS 2 LANGUAGE plpgsql AS 'BEGIN RETURN QUERY SELECT k.n, k.invoice_id FROM public.keys AS k ORDER BY k.n; END'});
costs('more keys than expected: the list', 'SELECT count(*), sum(i.total) FROM few() JOIN paged.invoices AS i USING (invoice_id)', 30);
costs('with little memory', q{SET work_mem = '64kB'; SELECT count(*), sum(i.total) FROM few() LEFT JOIN paged.invoices AS i USING (invoice_id)}, 56);
$session->rows('RESET work_mem');

# 8. UPDATE and DELETE by local keys read lists; by what is written, they do not
$mark = $sandbox->mark;
$session->rows('UPDATE paged.contacts AS c SET account_number = p.n::text FROM people AS p WHERE c.contact_id = p.contact_id AND p.n <= 60');
is(scalar(grep { m{^GET /api.xro/2.0/Contacts\?IDs=} } $sandbox->calls($mark)), 2, 'UPDATE FROM reads lists of keys');
is($session->rows('SELECT count(*) FROM paged.contacts AS c JOIN people AS p USING (contact_id) WHERE c.account_number = p.n::text'), 60, 'and writes each row');
unlike($session->rows('EXPLAIN UPDATE paged.contacts AS c SET email_address = NULL FROM people AS p WHERE c.email_address = p.email_address AND p.n <= 5'), qr/XeroLookahead/, 'not by a column that is written');
unlike($session->rows('EXPLAIN UPDATE paged.contacts AS c SET name = d.name FROM paged.contacts AS d WHERE d.contact_id = c.merged_to_contact_id'), qr/XeroLookahead/, 'nor rows that may have been written by then');

# 9. Rows that are locked, and change meanwhile
my $other = XeroSession->new($node);
$other->rows('BEGIN; UPDATE keys SET invoice_id = (SELECT k.invoice_id FROM keys AS k WHERE k.n = 7) WHERE n = 1');
$session->start('SELECT k.n, i.invoice_number FROM keys AS k JOIN paged.invoices AS i USING (invoice_id) WHERE n <= 2 ORDER BY n FOR UPDATE OF k');
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_locks WHERE NOT granted});
$other->rows('COMMIT');
is($session->wait->{rows}, $session->rows('SELECT 2, invoice_number FROM keys WHERE n = 2'), 'a row that has another key by then is left out');
$other->rows("BEGIN; UPDATE keys SET contact_name = 'Renamed' WHERE n = 3");
$session->start("UPDATE keys AS k SET contact_name = k.contact_name || ' of ' || i.invoice_number FROM paged.invoices AS i WHERE i.invoice_id = k.invoice_id AND n BETWEEN 2 AND 4");
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_locks WHERE NOT granted});
$other->rows('COMMIT');
$session->wait;
is($session->rows(q{SELECT n FROM keys WHERE contact_name = 'Renamed of ' || invoice_number}), 3, 'one that has the same is updated as it is by then');

# 10. EXPLAIN, errors, cancel
like($session->rows("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT n, i.total FROM $few JOIN paged.invoices AS i USING (invoice_id)"),
	qr/Custom Scan \(XeroLookahead\).*Xero Keys: keys.invoice_id.*Rows Ahead: 19.*Xero Actual Calls: 1\n.*Xero Batches: 1\n.*Xero Loops Without Calls: 19\n/s, 'EXPLAIN ANALYZE');
like($session->rows("EXPLAIN SELECT g, (SELECT sum(i.total) FROM keys AS k JOIN paged.invoices AS i USING (invoice_id) WHERE n BETWEEN g AND g + 2) FROM generate_series(1, 5) AS g"), qr/Xero Calls: 5\n/, 'EXPLAIN counts the runs of a subplan');
$sandbox->faults({ path => '/api.xro/2.0/Invoices', times => 1, status => 400 });
isnt($session->try("SELECT count(*) FROM $few JOIN paged.invoices AS i USING (invoice_id) WHERE i.total > 0")->{state}, '00000', 'a batch that fails is an error');
$sandbox->faults({ path => '/api.xro/2.0/Invoices', delay_ms => 20000 });
is($session->try("SET statement_timeout = '1s'; SELECT count(i.total) FROM $few JOIN paged.invoices AS i USING (invoice_id)")->{state}, '57014', 'cancelled');
$sandbox->faults();
is($session->rows('RESET statement_timeout; SELECT sum(in_flight) FROM xero_fdw.budget'), 0, 'no slot is left');

done_testing();
