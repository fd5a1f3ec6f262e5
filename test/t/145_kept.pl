# Connections that are kept between calls: one that dies is not used again
# behind the budget's back, and no child of the backend gets one.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSession;
use XeroTest;
use XeroWire;

my $tenant = '12345678-1234-1234-1234-123456789abc';
my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--no-limits' ]);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $folder = PostgreSQL::Test::Utils::tempdir();

# ---- a connection that dies before it has answered ----

# Serves one request a connection; the second one it takes and closes.
my $body = '{"Accounts": [{"AccountID": "12345678-1234-1234-1234-123456789abc", "Code": "1"}]}';
my $wire = XeroWire->new(sub {
	my ($socket, $head) = @_;
	print $socket "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ", length $body, "\r\n\r\n", $body;
	$socket->flush;
	$head = '';
	until ($head =~ /\r\n\r\n/) { sysread($socket, $head, 65536, length $head) or return; }
	append_to_file("$folder/unanswered", "$head");
});
$xero->psql("ALTER SERVER xero OPTIONS (SET api_url '" . $wire->url . "', ADD tenant_id '$tenant')");

# Requests of a kind on the wire, with an answer and without.
sub on_wire
{
	my ($method) = @_;
	my $heads = $wire->heads . (-e "$folder/unanswered" ? slurp_file("$folder/unanswered") : '');
	return scalar(() = $heads =~ /^$method /mg);
}

my $session = XeroSession->new($node);
foreach my $n (1 .. 3)
{
	is($session->rows('SELECT code FROM xero.accounts'), '1', "statement $n: rows");
}
is(on_wire('GET'), 5, 'two of three statements found a dead connection');
is($session->rows("SELECT count(*), count(*) FILTER (WHERE attempt = 2), min(error) FROM xero_fdw.requests WHERE path LIKE '%/Accounts%'"),
	'5|2|connection lost', 'each request on the wire is in xero_fdw.requests, as an attempt of its own');
is($session->rows("SELECT calls FROM xero_fdw.budget WHERE tenant_id = '$tenant'"), 5, 'and each had a grant');
is($session->rows('SELECT sum(in_flight + waiting) FROM xero_fdw.budget'), 0, 'which was given back');

# ---- children of the backend ----

sub descriptors_of_child
{
	my ($of) = @_;
	$of->rows("COPY (SELECT 1) TO PROGRAM 'ls -l /proc/self/fd >$folder/child'");
	return join("\n", sort map { m{-> (\w+):} ? $1 : () } split /\n/, slurp_file("$folder/child"));
}

$xero->psql("ALTER SERVER xero OPTIONS (SET api_url '" . $sandbox->url . "', DROP tenant_id)");
my $fresh = XeroSession->new($node);
my $before = descriptors_of_child($fresh);
cmp_ok($fresh->rows('SELECT count(*) FROM xero.accounts'), '>', 1, 'rows of the sandbox');
is(descriptors_of_child($fresh), $before, 'a child has no descriptor more than before the first call');

$_->quit foreach $session, $fresh;
$wire->stop;
done_testing();
