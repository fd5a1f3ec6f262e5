# Scans that run again, stop early, or change their ways: the calls of each, as
# the sandbox saw them.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--strict', '--no-limits' ]);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $session = XeroSession->new($node);
my ($base, $all) = ('GET /api.xro/2.0', 'includeArchived=true');

sub costs
{
	my ($name, $sql, $rows, @expected) = @_;
	my $mark = $sandbox->mark;
	my $got = $session->rows($sql);
	my @calls = $sandbox->calls($mark);
	is($got, $rows, "$name: rows") if defined $rows;
	is_deeply(\@calls, \@expected, "$name: calls");
	return;
}

sub contacts { my ($size, @pages) = @_; return map { "$base/Contacts?order=ContactID&summaryOnly=true&$all&page=$_&pageSize=$size" } @pages; }

$session->rows(<<'SQL');
CREATE FOREIGN TABLE paged (contact_id uuid, name text, contact_status text) SERVER xero OPTIONS (object 'accounting/Contacts', page_size '20');
CREATE TABLE five AS SELECT n, CASE WHEN n < 4 THEN 'PAID' ELSE 'DRAFT' END AS status,
	CASE WHEN n < 3 THEN date '2025-01-01' ELSE '2025-07-01' END AS day FROM generate_series(1, 5) AS n;
ANALYZE five;
SET enable_material = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_memoize = off;
SQL

# Nothing new to ask for, nothing asked for
costs('a nested loop over the whole list', 'SELECT count(*) FROM five LEFT JOIN paged ON length(paged.name) > five.n - 100', 600, contacts(20, 1 .. 6));
like($session->rows('EXPLAIN (COSTS OFF) SELECT count(*) FROM five LEFT JOIN paged ON length(paged.name) > five.n - 100'),
	qr/Seq Scan on five\n +->  Foreign Scan on paged\n/, 'which keeps the rows itself');
costs('a correlated subquery with one value', q{SELECT sum((SELECT count(i.total) FROM xero.invoices AS i WHERE i.status = f.status)) > 0 FROM five AS f WHERE f.n < 4}, 't',
	"$base/Invoices?Statuses=PAID&order=InvoiceID&summaryOnly=true&$all&unitdp=4&page=1&pageSize=1000");
costs('with two values', q{SELECT sum((SELECT count(i.total) FROM xero.invoices AS i WHERE i.status = f.status)) > 0 FROM five AS f}, 't',
	map { "$base/Invoices?Statuses=$_&order=InvoiceID&summaryOnly=true&$all&unitdp=4&page=1&pageSize=1000" } qw(PAID DRAFT));
costs('counted', q{SELECT sum((SELECT count(*) FROM xero.invoices AS i WHERE i.date >= f.day)) > 0 FROM five AS f}, 't',
	map { "$base/Invoices?where=Date>=DateTime(2025,$_,1)&order=InvoiceID&summaryOnly=true&$all&unitdp=4&page=1&pageSize=1000" } qw(1 7));
costs('each run goes a little further', 'SELECT string_agg((SELECT count(*) FROM (SELECT name FROM paged WHERE f.n > 0 LIMIT f.n * 15) AS x)::text, q) FROM five AS f, (VALUES (chr(32))) AS v(q)',
	'15 30 45 60 75', contacts(20, 1 .. 4));
costs('each statement anew', 'SELECT count(lower(name)) FROM xero.contacts', 120, contacts(1000, 1));

# Stopping early
costs('LIMIT over a condition that is checked here', q{SELECT count(*) FROM (SELECT name FROM paged WHERE upper(name) <> 'X' LIMIT 30) AS x}, 30, contacts(20, 1, 2));
costs('LIMIT on a page border', q{SELECT count(*) FROM (SELECT name FROM paged WHERE upper(name) <> 'X' LIMIT 20) AS x}, 20, contacts(20, 1));
costs('EXISTS', q{SELECT EXISTS (SELECT FROM paged WHERE upper(name) <> 'X')}, 't', contacts(20, 1));
costs('an anti-join of nothing', 'SELECT count(*) FROM paged WHERE EXISTS (SELECT FROM five WHERE n > 5)', 0);
my $mark = $sandbox->mark;
$session->rows('BEGIN; DECLARE c CURSOR FOR SELECT name FROM paged; MOVE 5 FROM c');
is_deeply([ $sandbox->calls($mark) ], [ contacts(20, 1) ], 'a cursor asks for one page');
$session->rows('MOVE 15 FROM c');
is_deeply([ $sandbox->calls($mark) ], [ contacts(20, 1) ], 'and for no other while it has rows');
$session->rows('MOVE 1 FROM c; CLOSE c; COMMIT');
is_deeply([ $sandbox->calls($mark) ], [ contacts(20, 1, 2) ], 'closed, it asks for no more');
$mark = $sandbox->mark;
is($session->try('SELECT 1 / (length(name) * 0) FROM paged')->{state}, '22012', 'an error while rows are consumed');
select(undef, undef, undef, 0.5);	# what was on its way arrives
my $soon = $sandbox->mark;
select(undef, undef, undef, 0.5);
is($sandbox->mark, $soon, 'ends the calls');
cmp_ok($soon - $mark, '<=', 5, 'of which there were no more than may be on their way');

# Lists of other kinds
my @offsets;
for my $journals ($sandbox->state('Journals'))
{
	is($session->rows('SELECT count(DISTINCT journal_number) FROM xero.journals'), scalar(@$journals), 'journals: each once');
	$mark = $sandbox->mark;
	my %known = map { $_ => 1 } split /\n/, $session->rows('SELECT journal_number FROM xero.journals');
	@offsets = map { m{^$base/Journals\?offset=(\d+)$} ? $1 : $_ } $sandbox->calls($mark);
	is($offsets[0], 0, 'journals: from the beginning');
	is_deeply([ grep { !$known{$_} } @offsets[ 1 .. $#offsets ] ], [], 'journals: on from a number that came');
	is_deeply(\@offsets, [ sort { $a <=> $b } @offsets ], 'journals: ever further');
	my ($highest) = sort { $b <=> $a } keys %known;
	is($offsets[-1], $highest, 'journals: until nothing comes after the last');
	cmp_ok(scalar(@offsets), '>', @$journals / 100 + 1, 'journals: a short page is not the end');
}
my $quotes = scalar(@{ $sandbox->state('Quotes') });
costs('quotes, by pages of 100 without a count', 'SELECT count(quote_id) FROM xero.quotes', $quotes, map { "$base/Quotes?order=QuoteID&page=$_" } 1 .. int($quotes / 100) + 1);
my $linked = scalar(@{ $sandbox->state('LinkedTransactions') });
costs('linked transactions', 'SELECT count(linked_transaction_id) FROM xero.linked_transactions', $linked,
	map { "$base/LinkedTransactions?page=$_" } 1 .. int($linked / 100) + 1);
costs('accounts, all at once', 'SELECT count(*) > 0 FROM xero.accounts', 't', "$base/Accounts");

# What lists lack is fetched record by record, where it is wanted.
my @groups = map { $_->{ContactGroupID} } grep { $_->{Status} eq 'ACTIVE' } @{ $sandbox->state('ContactGroups') };
costs('contact groups', 'SELECT count(lower(name)) FROM xero.contact_groups', scalar(@groups), "$base/ContactGroups");
$session->rows(q{ALTER FOREIGN TABLE xero.contact_groups ADD COLUMN contacts jsonb OPTIONS (field 'Contacts')});
$mark = $sandbox->mark;
is($session->rows('SELECT count(*) FROM xero.contact_groups, jsonb_array_elements(contacts)'),
	scalar(map { @{ $_->{Contacts} } } grep { $_->{Status} eq 'ACTIVE' } @{ $sandbox->state('ContactGroups') }), 'members of contact groups');
is_deeply([ sort $sandbox->calls($mark) ], [ sort "$base/ContactGroups", map { "$base/ContactGroups/$_" } @groups ], 'cost a call for each group');
for my $object (qw(Invoices BankTransactions))
{
	my $table = $object eq 'Invoices' ? 'invoices' : 'bank_transactions';
	my $key = $object eq 'Invoices' ? 'InvoiceID' : 'BankTransactionID';
	my @with = map { $_->{$key} } grep { $_->{HasAttachments} } @{ $sandbox->state($object) };
	$session->rows("ALTER FOREIGN TABLE xero.$table ADD COLUMN attachments jsonb OPTIONS (field 'Attachments')");
	$mark = $sandbox->mark;
	is($session->rows("SELECT count(attachments) FROM xero.$table"), scalar(@with), "attachments of $table");
	is_deeply([ sort grep { !m{/$object\?} } $sandbox->calls($mark) ], [ sort map { "$base/$object/$_?unitdp=4" } @with ], 'cost a call for each record that has any');
}

# Archived contacts are there, and with the option they are not.
my @archived = grep { $_->{ContactStatus} eq 'ARCHIVED' } @{ $sandbox->state('Contacts') };
isnt(scalar(@archived), 0, 'there are archived contacts');
costs('all contacts', q{SELECT sum((contact_status = 'ARCHIVED')::int) FROM xero.contacts}, scalar(@archived), contacts(1000, 1));
$session->rows(q{ALTER FOREIGN TABLE paged OPTIONS (ADD include_archived 'no', SET page_size '1000')});
costs('without the archived ones', 'SELECT count(lower(name)) FROM paged', 120 - @archived, "$base/Contacts?order=ContactID&summaryOnly=true&page=1&pageSize=1000");
costs('one of them, by its key', "SELECT count(lower(name)) FROM paged WHERE contact_id = '$archived[0]{ContactID}'", 0,
	"$base/Contacts?where=ContactID==Guid(\"$archived[0]{ContactID}\")&order=ContactID&summaryOnly=true&page=1&pageSize=1000");

# A row that was changed by another transaction meanwhile is checked again,
# together with the foreign row that it was joined with.
$session->rows('CREATE TABLE ten AS SELECT g AS n, contact_id, NULL::text AS name FROM five, generate_series(1, 2) AS g, LATERAL (SELECT contact_id FROM xero.contacts LIMIT 1) AS c');
my $first = XeroSession->new($node);
for my $join ('c.contact_id = ten.contact_id', "c.contact_id = ten.contact_id AND c.name <> 'x' AND upper(c.name) <> 'X'")
{
	$first->rows('UPDATE ten SET n = 1, name = NULL; BEGIN; UPDATE ten SET n = 2');
	$session->start("UPDATE ten SET name = c.name FROM xero.contacts AS c WHERE $join AND ten.n < 3");
	$node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = ' . $session->pid . " AND wait_event_type = 'Lock'");
	$first->rows('COMMIT');
	is($session->wait->{state}, '00000', "an update that waited, $join");
	is($session->rows('SELECT count(*) FROM ten JOIN xero.contacts USING (contact_id, name) WHERE n = 2'), 10, 'changed the rows that it waited for');
}

# Which organisation is asked once a backend, and not where it is given.
sub connections { return scalar(grep { $_->{path} eq '/connections' } $sandbox->log($_[0])); }
$mark = $sandbox->mark;
my $another = XeroSession->new($node);
$another->rows('SELECT count(code) FROM xero.accounts') for 1 .. 3;
is(connections($mark), 1, 'a server without tenant_id asks for the connections once a backend');
my ($tenant) = map { $_->{tenant_id} } grep { XeroSandbox::is_api_call($_) } $sandbox->log($mark);
$node->safe_psql('postgres', "ALTER SERVER xero OPTIONS (ADD tenant_id '$tenant')");
$mark = $sandbox->mark;
is($another->rows('SELECT DISTINCT tenant_id FROM xero.accounts'), $tenant, 'tenant_id takes effect in a running session');
is(XeroSession->new($node)->rows('SELECT DISTINCT tenant_id FROM xero.accounts'), $tenant, 'and in a new one');
is(connections($mark), 0, 'without asking for the connections');
is_deeply([ map { $_->{headers}{'xero-tenant-id'} } $sandbox->log($mark) ], [ $tenant, $tenant ], 'the organisation is named in every call');

# What is altered takes effect in the running session.
$node->safe_psql('postgres', q{ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (SET access_token 'stale')});
is($session->try('SELECT count(*) FROM xero.accounts')->{state}, '28000', 'a changed token is used at once');
$node->safe_psql('postgres', q{ALTER USER MAPPING FOR PUBLIC SERVER xero OPTIONS (DROP access_token, ADD client_secret 'sandbox-secret');
	ALTER SERVER xero OPTIONS (ADD client_id 'sandbox-client', ADD grant_type 'client_credentials')});
$mark = $sandbox->mark;
$session->rows('SELECT count(*) FROM xero.accounts') for 1 .. 3;
is_deeply([ map { "$_->{method} $_->{path}" } $sandbox->log($mark) ], [ 'POST /connect/token', ('GET /api.xro/2.0/Accounts') x 3 ],
	'client credentials: one token for many calls');
my @secret = map { $_->{headers}{authorization} } $sandbox->log($mark);
unlike("@secret[1 .. 3]", qr/sandbox-token|stale/, 'the old tokens are gone');
is($secret[1], $secret[3], 'the new one is kept');
$node->safe_psql('postgres', q{ALTER SERVER xero OPTIONS (ADD page_size '50')});
$mark = $sandbox->mark;
is($session->rows('SELECT count(lower(name)) FROM xero.contacts'), 120, 'a server with another page size');
is_deeply([ map { /pageSize=(\d+)/ } $sandbox->calls($mark) ], [ 50, 50, 50 ], 'asks for other pages');
my $other = XeroSandbox->new('--seed', 2, '--strict', '--no-limits', '--contacts', 30);
my $url = $other->url;
$node->safe_psql('postgres', "ALTER SERVER xero OPTIONS (SET api_url '$url', SET identity_url '$url', DROP tenant_id)");
is($session->rows('SELECT count(lower(name)) FROM xero.contacts'), 30, 'a changed address leads elsewhere at once');

done_testing();
