# A server that is connected to several organisations: every table is the union
# over them, and the calls of each are its own.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use JSON::PP ();
use Test::More;
use Time::HiRes qw(time);
use XeroSession;
use XeroTest;

# One client, three organisations: Australian, British, New Zealand's.
my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--strict', '--no-limits', '--tenants', 3, '--invoices', 300, '--contacts', 60 ],
	server => { client_id => 'sandbox-client', grant_type => 'client_credentials', minute_limit => 1000 },
	mapping => { client_secret => 'sandbox-secret' });
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
my $all = 'includeArchived=true';
my $nobody = '00000000-0000-0000-0000-000000000001';

$session->rows(<<'SQL');
IMPORT FOREIGN SCHEMA payroll_au FROM SERVER xero INTO public;
CREATE SCHEMA nz; IMPORT FOREIGN SCHEMA payroll_nz FROM SERVER xero INTO nz;
CREATE SCHEMA uk; IMPORT FOREIGN SCHEMA payroll_uk FROM SERVER xero INTO uk;
CREATE FOREIGN TABLE paged (tenant_id uuid, contact_id uuid, name text) SERVER xero OPTIONS (object 'accounting/Contacts', page_size '20');
SQL

# What the sandbox holds, by organisation.
sub truth { my ($object, $tenant) = @_; return @{ $sandbox->control("state/$object" . ($tenant ? "?tenant_id=$tenant" : '')) }; }

# The organisations that were called since a mark, one letter a call, in the
# order of their ids: A, B and C.
my (@tenants, %letter);
sub letters { my ($mark) = @_; return join('', map { $letter{ $_->{tenant_id} } } grep { XeroSandbox::is_api_call($_) } $sandbox->log($mark)); }

# The same, sorted: which calls are made at once comes in any order.
sub sorted_letters { return join('', sort split(//, letters($_[0]))); }

sub costs
{
	my ($name, $sql, $rows, $letters) = @_;
	my $mark = $sandbox->mark;
	is($session->rows($sql), $rows, "$name: rows");
	is(sorted_letters($mark), $letters, "$name: calls");
	return;
}

# The union
my $mark = $sandbox->mark;
@tenants = split(/\n/, $session->rows('SELECT DISTINCT tenant_id FROM xero.organisation ORDER BY 1'));
is(scalar(@tenants), 3, 'three organisations');
@letter{@tenants} = qw(A B C);
is_deeply([ map { $_->{path} } $sandbox->log($mark) ],
	[ '/connect/token', '/connections', ('/api.xro/2.0/Organisation') x 3 ], 'the calls of the first query');
my %country = map { split /\|/ } split(/\n/, $session->rows('SELECT tenant_id, country_code FROM xero.organisation'));
my %tenant_of = reverse %country;
my %keys = map { my $t = $_; $t => [ sort map { $_->{ContactID} } truth('Contacts', $t) ] } @tenants;
costs('the union', 'SELECT count(*) FROM (SELECT tenant_id, contact_id, name FROM xero.contacts) AS x', 180, 'ABC');
is($session->rows("SELECT tenant_id, string_agg(contact_id::text, ',' ORDER BY contact_id::text) FROM xero.contacts GROUP BY 1 ORDER BY 1"),
	join("\n", map { "$_|" . join(',', @{ $keys{$_} }) } @tenants), 'each record with its organisation');
costs('pages', 'SELECT count(lower(name)) FROM paged', 180, 'AAABBBCCC');
costs('the connections are asked once', 'SELECT count(*) > 0 FROM xero.accounts', 't', 'ABC');
costs('count(*)', 'SELECT count(*) FROM xero.invoices', 900, 'ABC');
my $paid = grep { $_->{Status} eq 'PAID' } map { truth('Invoices', $_) } @tenants;
costs('count(*) under a condition', "SELECT count(*) FROM xero.invoices WHERE status = 'PAID'", $paid, 'ABC');
$session->rows("CREATE FOREIGN TABLE small (status text, total numeric) SERVER xero OPTIONS (object 'accounting/Invoices', page_size '50')");
costs('two counts', "SELECT count(*), count(*) FILTER (WHERE status = 'PAID') FROM small", "900|$paid", 'AABBCC');
$session->rows('CREATE FOREIGN TABLE typed (type text) SERVER xero OPTIONS (object \'accounting/Invoices\', page_size \'50\')');
my %of_type;
$of_type{ $_->{Type} }++ foreach map { truth('Invoices', $_) } @tenants;
$session->rows('SET plan_cache_mode = force_generic_plan; PREPARE of_two (uuid, uuid, uuid) AS SELECT count(*) FILTER (WHERE contact_id IN ($2, $3)) FROM xero.contacts WHERE tenant_id = $1');
costs('a count with values', "EXECUTE of_two ('$tenants[1]', '$keys{$tenants[1]}[0]', '$keys{$tenants[1]}[1]')", 2, 'B');
$session->rows('RESET plan_cache_mode');
my $extremes = $session->rows('SELECT count(*), max(total), min(total) FROM (SELECT total FROM xero.invoices OFFSET 0) AS x');
costs('a count beside the largest and the smallest', 'SELECT count(*), max(total), min(total) FROM small', $extremes, 'AABBCC');
costs('counts by their words', 'SELECT type, count(*) FROM typed GROUP BY type ORDER BY 1', join("\n", map { "$_|$of_type{$_}" } sort keys %of_type), 'AAABBBCCC');
my $told = join("\n", map { "$_|60|61" } @tenants);
costs('counts by organisation', 'SELECT tenant_id, count(*), count(1) + 1 FROM paged GROUP BY tenant_id ORDER BY 1', $told, 'ABC');
costs('... of some', "SELECT tenant_id, count(*) FROM paged WHERE tenant_id <> '$tenants[0]' GROUP BY 1 ORDER BY 1", "$tenants[1]|60\n$tenants[2]|60", 'BC');
costs('... that have a record', "SELECT count(*), tenant_id FROM paged WHERE contact_id IN ('$keys{$tenants[1]}[0]', '$keys{$tenants[1]}[1]') GROUP BY tenant_id", "2|$tenants[1]", 'ABC');
costs('... that have enough', 'SELECT tenant_id FROM paged GROUP BY tenant_id HAVING count(*) > 60', '', 'ABC');
costs('... which alone are wanted', 'SELECT DISTINCT tenant_id FROM paged ORDER BY 1', join("\n", @tenants), 'ABC');
costs('... under a condition that is checked here', 'SELECT tenant_id, count(*), count(*) + 1 FROM paged WHERE upper(name) || 1 <> \'\' GROUP BY 1 ORDER BY 1', $told, 'AAABBBCCC');
costs('... of those that have a name', 'SELECT tenant_id, count(*) FILTER (WHERE name > \'\'), 61 FROM paged GROUP BY 1 ORDER BY 1', $told, 'AAABBBCCC');
$sandbox->faults({ path => '/api.xro/2.0/Contacts', status => 200, body => '{"Contacts":[]}', times => 1 });
costs('... one of which does not tell', 'SELECT tenant_id, count(*), count(1) + 1 FROM paged GROUP BY 1 ORDER BY 1', $told, 'AAAABBBBCCCC');
$sandbox->faults;
costs('a child table', 'SELECT count(DISTINCT tenant_id) FROM xero.invoice_line_items', 3, 'ABC');

# tenant_id picks
my ($one, $two) = @tenants;
costs('=', "SELECT count(lower(name)) FROM xero.contacts WHERE tenant_id = '$one'", 60, 'A');
costs('= in a count', "SELECT count(*) FROM xero.contacts WHERE tenant_id = '$two'", 60, 'B');
costs('IN', "SELECT count(lower(name)) FROM xero.contacts WHERE tenant_id IN ('$one', '$two', '$nobody')", 120, 'AB');
costs('= ANY', "SELECT count(lower(name)) FROM xero.contacts WHERE tenant_id = ANY ('{$two,$two,NULL}')", 60, 'B');
costs('OR', "SELECT count(lower(name)) FROM xero.contacts WHERE tenant_id = '$one' OR '$two' = tenant_id", 120, 'AB');
costs('<>', "SELECT count(lower(name)) FROM xero.contacts WHERE tenant_id <> '$one'", 120, 'BC');
costs('NOT IN', "SELECT count(lower(name)) FROM xero.contacts WHERE tenant_id NOT IN ('$one', '$two')", 60, 'C');
costs('nobody', "SELECT count(lower(name)) FROM xero.contacts WHERE tenant_id = '$nobody'", 0, '');
costs('nobody, counted', "SELECT count(*) FROM xero.contacts WHERE tenant_id = '$nobody'", 0, '');
costs('a contradiction', "SELECT count(lower(name)) FROM xero.contacts WHERE tenant_id = ANY ('{$one}') AND tenant_id = ANY ('{$two}')", 0, '');
costs('null', 'SELECT count(lower(name)) FROM xero.contacts WHERE tenant_id = (SELECT NULL::uuid)', 0, '');
costs('beside other conditions', "SELECT count(lower(name)) FROM xero.contacts WHERE tenant_id = '$one' AND contact_id = '$keys{$one}[5]'", 1, 'A');
costs('as text', "SELECT count(lower(name)) FROM xero.contacts WHERE tenant_id::text = '$one'", 60, 'A');
costs('a condition that is checked here', "SELECT count(lower(name)) FROM xero.contacts WHERE tenant_id || '' = '$one'", 60, 'ABC');
for my $mode (qw(force_custom_plan force_generic_plan))
{
	$session->rows("SET plan_cache_mode = $mode; PREPARE one (uuid) AS SELECT count(lower(name)) FROM xero.contacts WHERE tenant_id = \$1;"
		  . 'PREPARE many (uuid[]) AS SELECT count(*) FROM xero.contacts WHERE tenant_id = ANY ($1)');
	costs("$mode: \$1", "EXECUTE one ('$two')", 60, 'B');
	costs("$mode: another \$1", "EXECUTE one ('$tenants[2]')", 60, 'C');
	costs("$mode: no \$1", 'EXECUTE one (NULL)', 0, '');
	costs("$mode: an array", "EXECUTE many ('{$two,$one,$nobody}')", 120, 'AB');
	costs("$mode: an empty array", "EXECUTE many ('{}')", 0, '');
	$session->rows('DEALLOCATE ALL; RESET plan_cache_mode');
}

# Records by their keys: each organisation is asked, and 404 is no error
costs('a record by its key', "SELECT tenant_id FROM xero.contacts WHERE contact_id = '$keys{$two}[3]'", $two, 'ABC');
my @wanted = map { @{ $keys{$_} }[ 0 .. 2 ] } @tenants;
costs('several', 'SELECT count(lower(name)) FROM xero.contacts WHERE contact_id IN (' . join(', ', map { "'$_'" } @wanted) . ')', 9, 'ABC');
costs('one that nobody has', "SELECT count(lower(name)) FROM xero.contacts WHERE contact_id = '$nobody'", 0, 'ABC');
my @groups = map { my $t = $_; map { [ $t, $_->{ContactGroupID} ] } grep { $_->{Status} eq 'ACTIVE' } truth('ContactGroups', $t) } @tenants;
$session->rows(q{ALTER FOREIGN TABLE xero.contact_groups ADD COLUMN contacts jsonb OPTIONS (field 'Contacts')});
costs('what lists lack is asked of its own organisation', 'SELECT count(contacts) FROM xero.contact_groups', scalar(@groups),
	join('', sort(qw(A B C), map { $letter{ $_->[0] } } @groups)));

# Joins
$session->rows("CREATE TABLE pairs AS VALUES ('$one'::uuid, '$keys{$one}[7]'::uuid), ('$two', '$keys{$two}[8]'), ('$two', '$keys{$one}[7]');"
	  . 'ALTER TABLE pairs RENAME column1 TO tenant_id; ALTER TABLE pairs RENAME column2 TO contact_id; ANALYZE pairs;'
	  . 'SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off');
costs('a join on both keys', 'SELECT count(lower(name)) FROM pairs JOIN xero.contacts USING (tenant_id, contact_id)', 2, 'ABB');
costs('a join on the record alone', 'SELECT count(lower(name)) FROM pairs AS p JOIN xero.contacts AS c ON c.contact_id = p.contact_id', 3, 'ABC');
costs('a join on the organisation', "SELECT count(lower(name)) FROM (SELECT DISTINCT tenant_id FROM pairs WHERE tenant_id = '$two') AS p JOIN xero.contacts USING (tenant_id)", 60, 'B');
costs('a subquery for each', 'SELECT string_agg((SELECT count(lower(name))::text FROM xero.contacts AS c WHERE c.tenant_id = p.tenant_id), chr(32)) FROM pairs AS p', '60 60 60', 'AB');
$session->rows('RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_material');

# Stopping early
costs('LIMIT within the first organisation', 'SELECT count(*) FROM (SELECT name FROM xero.contacts LIMIT 60) AS x', 60, 'A');
costs('LIMIT beyond it', 'SELECT count(*) FROM (SELECT name FROM xero.contacts LIMIT 61) AS x', 61, 'AB');
costs('LIMIT over a condition that is checked here', "SELECT count(*) FROM (SELECT name FROM paged WHERE upper(name) <> 'X' LIMIT 70) AS x", 70, 'AAAB');
costs('EXISTS', "SELECT EXISTS (SELECT FROM paged WHERE upper(name) <> 'X')", 't', 'A');
$mark = $sandbox->mark;
$session->rows('BEGIN; DECLARE c CURSOR FOR SELECT name FROM paged; MOVE 5 FROM c');
is(letters($mark), 'A', 'a cursor asks one organisation');
$session->rows('MOVE 60 FROM c');
is(letters($mark), 'AAAB', 'and the next when it gets there');
$session->rows('CLOSE c; COMMIT');

# In order
my @dates = sort map { $_->{Date} =~ /(\d+)/ ? $1 : () } map { truth('Invoices', $_) } @tenants;
for my $limit (1, 7, 150)
{
	my $sql = "SELECT string_agg((extract(epoch FROM date) * 1000)::bigint::text, ' ') FROM (SELECT date, invoice_id FROM xero.invoices ORDER BY date DESC LIMIT $limit) AS x";
	costs("the last $limit of all", $sql, join(' ', (reverse @dates)[ 0 .. $limit - 1 ]), 'ABC');
}
my @calls = $sandbox->calls($mark);
like($calls[-1], qr{Invoices\?order=Date DESC&.*&page=1&pageSize=150$}, 'each sends as many as are wanted, in order');
my @ids = map { $_->{InvoiceID} } sort { ($b->{Date} =~ /(\d+)/)[0] <=> ($a->{Date} =~ /(\d+)/)[0] || $a->{InvoiceID} cmp $b->{InvoiceID} } map { truth('Invoices', $_) } @tenants;
costs('the last of all, by several keys', 'SELECT string_agg(invoice_id::text, \' \') FROM (SELECT invoice_id FROM xero.invoices ORDER BY date DESC, invoice_id LIMIT 40) AS x',
	join(' ', @ids[ 0 .. 39 ]), 'ABC');
costs('the first of one', "SELECT tenant_id FROM xero.invoices WHERE tenant_id = '$two' ORDER BY date LIMIT 1", $two, 'B');
costs('an order that is not among the columns', "SELECT count(DISTINCT tenant_id) > 0 FROM (SELECT tenant_id FROM xero.invoices ORDER BY date OFFSET 3 LIMIT 20) AS x", 't', 'ABC');
is($session->rows('SELECT array_agg(date ORDER BY n) = (SELECT array_agg(date ORDER BY date) FROM xero.invoices) FROM (SELECT date, row_number() OVER () AS n FROM (SELECT date FROM xero.invoices ORDER BY date) AS y) AS x'),
	't', 'all in order');

# EXPLAIN
my $explain = "EXPLAIN SELECT name FROM xero.contacts WHERE tenant_id IN ('$one', '$two')";
$mark = $sandbox->mark;
my $plan = $session->rows($explain);
like($plan, qr/Xero Filter: \(tenant_id = ANY/, 'EXPLAIN: the condition went down');
unlike($plan, qr/\n +Filter:/, 'EXPLAIN: and is not checked again');
like($plan, qr/Xero Organisations: 2 of 3\n/, 'EXPLAIN: the organisations');
like($plan, qr/Xero Calls: 2$/m, 'EXPLAIN: the calls');
like($session->rows('EXPLAIN SELECT name FROM xero.contacts'), qr/Xero Organisations: 3 of 3\n +Xero Calls: 3/, 'EXPLAIN: all of them');
like($session->rows('EXPLAIN SELECT count(*) FROM xero.contacts'), qr/Xero Organisations: 3 of 3\n +Xero Calls: 3/, 'EXPLAIN: counted');
$plan = $session->rows("EXPLAIN SELECT count(*) FROM xero.invoices WHERE tenant_id IN ('$one', '$two') AND status = 'PAID'");
like($plan, qr/Xero Filter: \(\(tenant_id = ANY \(.*\)\) AND \(status = 'PAID'::text\)\)\n.*Xero Organisations: 2 of 3\n +Xero Calls: 2/, 'EXPLAIN: counted under conditions');
is($sandbox->mark, $mark, 'EXPLAIN asks nobody');
like($session->rows("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT name FROM xero.contacts WHERE tenant_id = (SELECT '$one'::uuid)"),
	qr/Xero Organisations: 1 of 3\n +Xero Actual Calls: 1\n/, 'EXPLAIN ANALYZE: what was asked');
my $fresh = XeroSession->new($node);
$mark = $sandbox->mark;
unlike($fresh->rows($explain), qr/Xero Organisations/, 'EXPLAIN: nothing is known before the first query');
is($sandbox->mark, $mark, 'which is not asked for');

# Payroll is of a country
$mark = $sandbox->mark;
my ($au, $gb, $nz) = map { scalar(truth('Employees', $tenant_of{$_})) } qw(AU GB NZ);
is($session->rows('SELECT count(lower(first_name)), count(DISTINCT tenant_id) FROM employees'), "$au|1", 'employees of the Australian one');
is($session->rows('SELECT count(lower(first_name)), min(tenant_id::text) FROM nz.employees'), "$nz|$tenant_of{NZ}", "employees of New Zealand's");
is($session->rows('SELECT count(lower(first_name)), min(tenant_id::text) FROM uk.employees'), "$gb|$tenant_of{GB}", 'employees of the British one');
is_deeply([ map { s/\?.*//r } grep { !/page=2/ } $sandbox->calls($mark) ],
	[ ('GET /api.xro/2.0/Organisation') x 3, 'GET /payroll.xro/1.0/Employees', ('GET /payroll.xro/2.0/Employees') x 2 ], 'who is asked for his country once');
costs('one of another country has none', "SELECT count(lower(first_name)) FROM uk.employees WHERE tenant_id = '$tenant_of{NZ}'", 0, '');

# Side by side, each under its own budget
$sandbox->faults({ path => '/api.xro/2.0/*', delay_ms => 300 });
$mark = $sandbox->mark;
my $began = time;
is($session->rows('SELECT count(lower(name)) FROM paged'), 180, 'a slow Xero');
my $seconds = time - $began;
my @log = grep { XeroSandbox::is_api_call($_) } $sandbox->log($mark);
my ($at_once) = sort { $b <=> $a } map { my $call = $_; scalar(grep { $_->{at} <= $call->{at} && $_->{at} + $_->{ms} / 1000 > $call->{at} } @log) } @log;
cmp_ok($at_once, '>=', 6, 'the organisations are read at the same time');
cmp_ok($seconds, '<', 1.5, 'and nine calls take as long as two');
$sandbox->faults({ path => '/api.xro/2.0/Contacts', times => 1, problem => 'minute', retry_after => 2 });
$mark = $sandbox->mark;
is($session->rows('SELECT count(lower(name)) FROM paged'), 180, 'a limit of one organisation');
like(letters($mark), qr/^.{7}(.)\1\1$/, 'keeps nobody from reading the others');
$sandbox->faults;

# A count that Xero does not tell, and that fails
$sandbox->faults({ path => '/api.xro/2.0/Invoices', status => 200, body => '{"pagination": {"pageCount": 1, "itemCount": 5}, "Invoices": []}' });
is(scalar(() = $session->try('SELECT count(*) FROM xero.invoices')->{text} =~ /organisation "/g), 1, 'a count that fails names the organisation, once');
$sandbox->faults;

# One call at a time: whatever is open at the same time, nothing waits for itself
$session->rows("ALTER SERVER xero OPTIONS (ADD concurrency '1'); SET statement_timeout = '20s'; CREATE TABLE ids AS SELECT tenant_id, contact_id FROM xero.contacts");
$mark = $sandbox->mark;
costs('one at a time', 'SELECT count(lower(name)) FROM paged', 180, 'AAABBBCCC');
costs('one at a time, counted', 'SELECT count(*) FROM xero.contacts', 180, 'ABC');
costs('one at a time, by many keys', 'SELECT count(lower(name)) FROM paged WHERE contact_id = ANY (ARRAY(SELECT contact_id FROM ids ORDER BY contact_id LIMIT 100))', 100, 'AAABBBCCC');
is($session->rows('SET enable_hashjoin = off; SET enable_mergejoin = off; SELECT count(a.name), count(b.name) FROM paged AS a JOIN xero.contacts AS b USING (tenant_id, contact_id) WHERE a.name < \'D\'') =~ /^(\d+)\|\1$/, 1, 'one at a time, a join');
is($session->rows('SELECT count(contacts) FROM xero.contact_groups'), scalar(@groups), 'one at a time, what lists lack');
$session->rows('RESET enable_hashjoin; RESET enable_mergejoin; BEGIN; ' . join(' ', map { "DECLARE c$_ CURSOR FOR SELECT name FROM paged; FETCH 1 FROM c$_;" } 1 .. 3));
my $neighbour = XeroSession->new($node);
is($neighbour->rows("SET statement_timeout = '20s'; SELECT count(lower(name)) FROM paged"), 180, 'one at a time, beside open cursors of another session');
is(join(' ', map { my $c = $_; $session->try("MOVE ALL FROM c$c")->{state} } 1 .. 3), '00000 00000 00000', 'one at a time, cursors side by side');
$session->rows('COMMIT');
$session->rows("INSERT INTO xero.contacts (tenant_id, name) SELECT tenant_id, 'Copy of ' || contact_id FROM paged WHERE tenant_id = '$one'");
is($session->rows("SELECT count(*) FROM xero.contacts WHERE tenant_id = '$one'"), 120, 'one at a time, read and written');
$neighbour->start('SELECT count(lower(name)) FROM paged');
is($session->rows('SELECT count(lower(name)) FROM paged'), 240, 'one at a time, two sessions');
is($neighbour->wait->{rows}, 240, 'at once');
my @calls_at = grep { XeroSandbox::is_api_call($_) } $sandbox->log($mark);
my %at_once;
foreach my $call (@calls_at) { my $n = grep { $_->{tenant_id} eq $call->{tenant_id} && $_->{at} <= $call->{at} && $_->{at} + $_->{ms} / 1000 > $call->{at} } @calls_at; $at_once{ $call->{tenant_id} } = $n if $n > ($at_once{ $call->{tenant_id} } // 0); }
is(join(' ', values %at_once), '1 1 1', 'and never two of one organisation');
$neighbour->quit;
$session->rows('ALTER SERVER xero OPTIONS (DROP concurrency); RESET statement_timeout; DROP TABLE ids');

# Three organisations of a thousand invoices each
$sandbox->reset(tenants => 3, limits => JSON::PP::false, contacts => 60, invoices => 1000);
$session = XeroSession->new($node);
$session->rows("SELECT xero_fdw.reset_stats(); CREATE FOREIGN TABLE many (tenant_id uuid, invoice_id uuid, total numeric) SERVER xero OPTIONS (object 'accounting/Invoices', page_size '100')");
my %sum;
foreach my $t (@tenants) { foreach my $invoice (truth('Invoices', $t)) { $sum{$t}[0]++; $sum{$t}[1] += int($invoice->{Total} * 100 + ($invoice->{Total} < 0 ? -0.5 : 0.5)); } }
is(join(' ', map { $sum{$_}[0] } @tenants), '1000 1000 1000', 'a thousand invoices of each');
$sandbox->faults({ path => '/api.xro/2.0/Invoices', delay_ms => 100 });
$mark = $sandbox->mark;
is($session->rows('SELECT tenant_id, count(DISTINCT invoice_id), (sum(total) * 100)::bigint FROM many GROUP BY 1 ORDER BY 1'),
	join("\n", map { "$_|1000|$sum{$_}[1]" } @tenants), 'are one union');
is(sorted_letters($mark), 'A' x 10 . 'B' x 10 . 'C' x 10, 'ten pages of each');
@log = grep { XeroSandbox::is_api_call($_) } $sandbox->log($mark);
my ($together) = sort { $b <=> $a } map { my $call = $_; my %busy = map { $_->{tenant_id} => 1 } grep { $_->{at} <= $call->{at} && $_->{at} + $_->{ms} / 1000 > $call->{at} } @log; scalar(keys %busy) } @log;
is($together, 3, 'from all three at the same time');
is($session->rows('SELECT string_agg(calls::text, chr(32)) FROM xero_fdw.budget WHERE tenant_id IS NOT NULL AND calls > 0'), '10 10 10', 'each under its own budget');
$sandbox->faults;

# A lost connection
$sandbox->reset(tenants => 3, limits => JSON::PP::false, contacts => 60, invoices => 10);
$session = XeroSession->new($node);
is($session->rows('SELECT count(lower(name)) FROM xero.contacts'), 180, 'three again');
my $result;
my ($lost) = grep { $_->{tenantId} eq $two } @{ connections() };
$sandbox->control('identity', { disconnect => $two });
for my $sql ('SELECT count(lower(name)) FROM xero.contacts', 'SELECT count(*) FROM xero.contacts', 'SELECT name FROM paged',
	"SELECT name FROM xero.contacts WHERE contact_id = '$keys{$one}[0]'")
{
	$result = $session->try($sql);
	is($result->{state}, '42501', "$sql: an error");
	like($result->{text}, qr/access to organisation "\Q$lost->{tenantName}\E" \($two\)/, 'that names the organisation');
}
is($session->rows("SELECT count(lower(name)) FROM xero.contacts WHERE tenant_id <> '$two'"), 120, 'the others can be read');

# ... which later sessions find missing from the list
sub lost
{
	my ($who, $name, @calls) = @_;
	foreach my $sql ('SELECT count(lower(name)) FROM xero.contacts', "SELECT count(*) FROM xero.contacts WHERE tenant_id = '$two'", "INSERT INTO xero.contacts (tenant_id, name) VALUES ('$two', 'Nobody')")
	{
		my $since = $sandbox->mark;
		$result = $who->try($sql);
		is($result->{state}, '28000', "$name: $sql: an error") or diag($result->{rows});
		like($result->{text}, qr/server "xero" is not connected to organisation "\Q$lost->{tenantName}\E" \($two\) any more\nDETAIL:.*\nHINT:.* SELECT xero_fdw\.disconnect\('xero'\);/, "$name: that names it");
		is_deeply([ grep { $_ ne '/connect/token' } map { $_->{path} } $sandbox->log($since) ], \@calls, "$name: and reads nothing");
	}
	return;
}
my $later = XeroSession->new($node);
lost($later, 'a new session', '/connections');
$mark = $sandbox->mark;
is($later->rows("SELECT count(lower(name)) FROM xero.contacts WHERE tenant_id <> '$two'"), 120, 'a new session: the others can be read');
is(letters($mark), 'AC', 'a new session: and are asked');
$later->rows("INSERT INTO xero.contacts (tenant_id, name) VALUES ('$one', 'Somebody')");
is(letters($mark), 'ACA', 'and written');
is($later->rows("SELECT string_agg(state, ' ' ORDER BY tenant_id) FROM xero_fdw.connections"), 'connected disconnected connected', 'connections tell');
$session->rows("ALTER SERVER xero OPTIONS (ADD page_size '50')");
lost($session, 'a server that was altered', '/connections');
$sandbox->reset(tenants => 3, limits => JSON::PP::false, contacts => 60, invoices => 10);
is($later->rows('SELECT count(lower(name)) FROM xero.contacts'), 180, 'it is back as soon as it is connected again');
is($later->rows('SELECT DISTINCT state FROM xero_fdw.connections'), 'connected', 'connections tell that, too');
$sandbox->control('identity', { disconnect => $two });
$session->rows("SELECT xero_fdw.disconnect('xero')");
is($later->rows('SELECT count(lower(name)) FROM xero.contacts'), 120, 'gone for good, once that is accepted');
is($later->rows('SELECT count(*) FROM xero_fdw.connections'), 2, 'connections do not tell of it any more');
$later->quit;

# What is stored is nobody's business but the extension's, and holds up nobody
$session->rows("SELECT xero_fdw.disconnect('xero')");
$sandbox->reset(tenants => 3, limits => JSON::PP::false, contacts => 60, invoices => 10);
for my $case (
	[ 'BEGIN READ ONLY', 0 ], [ 'BEGIN ISOLATION LEVEL REPEATABLE READ', 0 ], [ 'BEGIN', 0, 'ROLLBACK' ],
	[ 'CREATE TABLE big AS SELECT n FROM generate_series(1, 1000) AS n; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; BEGIN', 0, 'COMMIT', 'SELECT count(lower(name)) FROM xero.contacts WHERE (SELECT count(*) FROM big) > 0' ],
	[ 'SET ROLE reader; BEGIN', 3 ])
{
	my ($begin, $stored, $end, $sql) = @$case;
	my $other = XeroSession->new($node);
	$other->rows('CREATE ROLE reader; GRANT USAGE ON SCHEMA xero TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA xero TO reader') if $begin =~ /reader/;
	$other->rows($begin);
	like($other->rows('EXPLAIN ' . $sql), qr/Gather/, 'a parallel plan') if $sql;
	is($other->rows($sql // 'SELECT count(lower(name)) FROM xero.contacts'), 180, "$begin: rows");
	if ($begin eq 'BEGIN')
	{
		$session->rows("SET statement_timeout = '5s'");
		$session->rows('ALTER SERVER xero OPTIONS (SET page_size \'49\')');
		is($session->rows('SELECT count(lower(name)) FROM xero.contacts'), 180, "$begin: another session does not wait for it");
		$session->rows('RESET statement_timeout');
	}
	$other->rows($end // 'COMMIT');
	is($session->rows('SELECT count(*) FROM xero_fdw.connections'), $stored, "$begin: connections");
	$other->quit;
}
is($session->rows("SELECT server, user_name, tenant_type, token_expires_at, refreshed_at, state, error FROM xero_fdw.connections WHERE tenant_id = '$two'"), 'xero|public|ORGANISATION|||connected|', 'a connection without a consent');

$session->rows("SELECT xero_fdw.disconnect('xero')");

# In the middle of a scan
$session = XeroSession->new($node);
$session->rows('BEGIN; DECLARE c CURSOR FOR SELECT name FROM paged; MOVE 5 FROM c');
$sandbox->control('identity', { disconnect => $two });
$result = $session->try('MOVE ALL FROM c');
is($result->{state}, '42501', 'lost in the middle');
like($result->{text}, qr/access to organisation "\Q$lost->{tenantName}\E" \($two\)/, 'is an error, too');
$session->rows('ROLLBACK');

# tenant_id of the server
$session->rows("ALTER SERVER xero OPTIONS (ADD tenant_id '$one')");
$mark = $sandbox->mark;
is($session->rows('SELECT count(lower(name)), min(tenant_id::text) FROM xero.contacts'), "60|$one", 'a server that names an organisation');
is($session->rows("SELECT count(lower(name)) FROM xero.contacts WHERE tenant_id = '$one'"), 60, 'which is named again');
is(letters($mark), 'AAAA', 'and asked alone');
$mark = $sandbox->mark;
is($session->rows("SELECT count(lower(name)) FROM xero.contacts WHERE tenant_id = '$tenants[2]'"), 0, 'and not another');
is($sandbox->mark, $mark, 'which takes no call');
unlike($session->rows($explain), qr/Xero Organisations/, 'EXPLAIN has nothing to say of one');

# Lists that change while they are read side by side
$session->rows("ALTER SERVER xero OPTIONS (DROP tenant_id); ALTER FOREIGN TABLE paged OPTIONS (SET page_size '5')");
$sandbox->reset(tenants => 3, limits => JSON::PP::false, contacts => 60, invoices => 10);
for my $gone (0, 1, 3)
{
	my %left = map { my $t = $_; map { ("$t $_->{ContactID}" => 1) } truth('Contacts', $t) } @tenants;
	$sandbox->faults({ path => '/api.xro/2.0/Contacts', delay_ms => 100 });
	$session->start("SELECT tenant_id || ' ' || contact_id FROM paged");
	select(undef, undef, undef, 0.25);
	for my $t (@tenants)
	{
		my @ids = sort map { / (.*)/ ? $1 : () } grep { /^$t/ } keys %left;
		for my $id (@ids[ grep { $_ < $gone } 0 .. $#ids ])
		{
			$sandbox->change(object => 'Contacts', id => $id, delete => JSON::PP::true, tenant_id => $t);
			delete $left{"$t $id"};
		}
	}
	$result = $session->wait;
	is($result->{state}, '00000', "$gone go of each: read") or diag($result->{text});
	my %times;
	$times{$_}++ foreach split(/\n/, $result->{rows});
	is_deeply([ grep { $times{$_} != 1 } keys %times ], [], "$gone go of each: none twice");
	is_deeply([ grep { !$times{$_} } keys %left ], [], "$gone go of each: none lost");
}
$sandbox->faults;

# Without a client there is a token only, which reaches what it reaches
$session->rows("ALTER FOREIGN TABLE paged OPTIONS (SET page_size '20'); ALTER SERVER xero OPTIONS (DROP client_id, DROP grant_type);"
	  . "ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (DROP client_secret, ADD access_token 'sandbox-token')");
$sandbox->reset(tenants => 3, limits => JSON::PP::false, contacts => 60, invoices => 10);
is($session->rows('SELECT count(DISTINCT tenant_id), count(lower(name)) FROM xero.contacts'), '3|180', 'a ready-made token');
is($session->rows('SELECT count(*) FROM xero_fdw.connections'), 3, 'a ready-made token: connections');
$sandbox->control('identity', { disconnect => $two });
is(XeroSession->new($node)->rows('SELECT count(DISTINCT tenant_id) FROM xero.contacts'), 2, 'a ready-made token is compared with no other');
$sandbox->reset(tenants => 3, limits => JSON::PP::false, contacts => 60, invoices => 10);

# tenant_id as text
$session->rows("CREATE FOREIGN TABLE texts (tenant_id text, name text) SERVER xero OPTIONS (object 'accounting/Contacts')");
is($session->rows("SELECT tenant_id, count(lower(name)) FROM texts WHERE tenant_id LIKE substr('$one', 1, 8) || '%' GROUP BY 1"), "$one|60", 'tenant_id as text');

# Credentials that change while Xero is asked what they reach
$session = XeroSession->new($node);
$sandbox->faults({ path => '/connections', delay_ms => 1500, times => 1, status => 200, headers => { 'Content-Type' => 'application/json' },
	body => JSON::PP::encode_json([ grep { $_->{tenantId} ne $two } @{ connections() } ]) });
$session->start('SELECT count(DISTINCT tenant_id) FROM xero.contacts');
$node->poll_query_until('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT count(DISTINCT tenant_id)%' AND wait_event_type = 'Extension'}, '1') or die 'nothing waits for the connections';
$node->safe_psql('postgres', q{ALTER SERVER xero OPTIONS (ADD concurrency '4')});
is($session->wait->{rows}, 2, 'credentials change meanwhile: the list that was asked for');
is($session->rows('SELECT count(DISTINCT tenant_id) FROM xero.contacts'), 3, '... is not taken for theirs');
$session->rows('ALTER SERVER xero OPTIONS (DROP concurrency)');
$sandbox->faults;

# More organisations than are read at once
$sandbox->reset(tenants => 30, limits => JSON::PP::false, contacts => 40, invoices => 10);
$session = XeroSession->new($node);
is($session->rows('SELECT count(DISTINCT tenant_id), count(lower(name)) FROM xero.contacts'), '30|1200', 'thirty organisations');
is($session->rows('SELECT count(*) FROM xero.contacts'), 1200, 'counted');
is($session->rows('SELECT count(DISTINCT tenant_id), count(lower(name)) FROM paged'), '30|1200', 'by pages');

# Limits of each
$sandbox->reset(tenants => 3, limits => JSON::PP::true, minute_limit => 4, contacts => 60, invoices => 10);
$session = XeroSession->new($node);
$session->rows('SELECT xero_fdw.reset_stats()');
costs('four calls a minute are three times four in all', 'SELECT count(lower(name)) FROM paged', 180, 'AAABBBCCC');
is($session->rows('SELECT count(*), string_agg(calls::text, chr(32)) FROM xero_fdw.budget WHERE calls > 0 AND tenant_id IS NOT NULL'), '3|3 3 3', 'three budgets');
$session->rows('SET xero_fdw.max_wait = 0');
costs('one call more of each', 'SELECT count(*) FROM xero.contacts', 180, 'ABC');
$result = $session->try('SELECT count(*) FROM xero.contacts');
is($result->{state}, '53400', 'a spent budget is an error');
like($result->{text}, qr/CONTEXT:  organisation "Demo Company \([A-Z]+\)" \([0-9a-f-]{36}\)/, 'that names the organisation');

# None
$sandbox->control('identity', { disconnect => $_->{tenantId} }) foreach @{ connections() };
$result = XeroSession->new($node)->try('SELECT count(lower(name)) FROM xero.contacts');
is($result->{state}, '28000', 'no organisation is an error');
like($result->{text}, qr/server "xero" is connected to no organisation/, 'that says so');

sub connections
{
	my $answer = HTTP::Tiny->new->get($sandbox->url . '/connections', { headers => { Authorization => 'Bearer sandbox-token' } });
	return JSON::PP::decode_json($answer->{content});
}

done_testing();
