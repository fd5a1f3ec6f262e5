# Memory of a scan is that of the pages in flight, however many rows there are.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSession;
use XeroTest;

my $INVOICES = 30_000;
my $LIMIT = 40 * 1024;	# kB above an idle session; 64 are promised for any scan

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--no-limits', '--invoices', $INVOICES ],
	conf => "shared_buffers = 16MB\nmax_parallel_workers_per_gather = 0\njit = off");
my ($node, $sandbox) = ($xero->node, $xero->sandbox);

# The growth of a new session's peak by a statement.  The buffers of the server
# that it touches are of a fixed size, and small here.
sub peak_of
{
	my ($sql, $expected, $name) = @_;
	my $session = XeroSession->new($node);
	$session->rows('SELECT count(*) FROM xero.accounts');
	my $idle = $session->memory('VmRSS');
	is($session->rows($sql), $expected, "$name: rows");
	note("$name: " . ($session->memory('VmHWM') - $idle) . ' kB');
	$session->memory_below('VmHWM', $idle + $LIMIT, "$name: less than 40 MB");
	$session->quit;
	return;
}

peak_of('SELECT count(total::text) FROM xero.invoices', $INVOICES, 'one column');
peak_of('SELECT count(i) FROM xero.invoices i WHERE line_items IS NOT NULL', $INVOICES, 'all columns with lines');
peak_of('SELECT count(*) > 30000 FROM xero.invoice_line_items WHERE description IS NOT NULL OR line_amount IS NULL', 't', 'lines');
peak_of("WITH i AS MATERIALIZED (SELECT invoice_id, line_items FROM xero.invoices) SELECT count(*) FROM i", $INVOICES, 'rows that are kept, on disk');
peak_of("BEGIN; DECLARE c CURSOR FOR SELECT invoice_id, line_items FROM xero.invoices; MOVE 20000 FROM c; SELECT 'read'; COMMIT", 'read', 'a cursor');
peak_of("SELECT count(i.total) FROM generate_series(1, 2) g, LATERAL (SELECT total, g AS n FROM xero.invoices WHERE total >= 0 OFFSET 0) i WHERE n > 0", 2 * $INVOICES, 'a rescan');

my $keys = join(',', map { sprintf('%08x-0000-4000-8000-000000000000', $_) } 1 .. 12_000);
peak_of("SELECT 'planned' FROM xero.invoices WHERE invoice_id = ANY ('{$keys}') LIMIT 0", '', 'a long list of keys');

# What an error document of millions of values has taken is given back.
my $session = XeroSession->new($node);
$session->rows('SELECT count(*) FROM xero.accounts');
my $idle = $session->memory('RssAnon');
$sandbox->faults({ path => '/api.xro/2.0/Accounts', status => 400,
	body => '{"Message": "no", "Elements": [' . join(',', ('{"a":[]}') x 400_000) . ']}' });
my $result = $session->try('SELECT count(*) FROM xero.accounts');
like($result->{text}, qr/HTTP status 400, correlation id \S+, "no"/, 'a large error document is understood');
$sandbox->faults;
note('it left ' . ($session->memory('RssAnon') - $idle) . ' kB');
$session->memory_below('RssAnon', $idle + 16 * 1024, 'and leaves no memory behind');
$session->quit;

done_testing();
