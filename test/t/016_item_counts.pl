# What Xero has told of the number of records: every session plans with it whose
# credentials have been accepted, and nobody else.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSession;
use XeroTest;

my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--strict', '--no-limits', '--contacts', 300 ]);
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
$node->safe_psql('postgres', <<'SQL');
CREATE FOREIGN TABLE paged (contact_id uuid, name text) SERVER xero OPTIONS (object 'accounting/Contacts', page_size '20');
CREATE FOREIGN TABLE living (contact_id uuid, name text) SERVER xero OPTIONS (object 'accounting/Contacts', page_size '20', include_archived 'false');
CREATE FOREIGN TABLE addresses (contact_id uuid, city text OPTIONS (field 'City')) SERVER xero OPTIONS (object 'accounting/Contacts/Addresses', page_size '20');
CREATE ROLE colleague LOGIN; CREATE ROLE stranger LOGIN;
GRANT USAGE ON FOREIGN SERVER xero TO colleague, stranger;
GRANT SELECT ON paged, living, addresses TO colleague, stranger;
SQL

# The calls that a scan is thought to take, in a session of its own
sub planned
{
	my ($table, $role) = @_;
	my $session = XeroSession->new($node, user => $role // 'postgres');
	my ($calls) = $session->rows("EXPLAIN SELECT contact_id FROM $table") =~ /Xero Calls: (\d+)/;
	$session->quit;
	return $calls;
}

is(planned('paged'), 100, 'nobody knows: 2,000 are assumed');
my $mark = $sandbox->mark;
is(XeroSession->new($node)->rows('SELECT count(*) FROM paged'), 300, 'one session is told');
is(planned('paged'), 15, 'another one plans with that');
is(planned('addresses'), 15, 'for every table of the list');
is(planned('living'), 100, 'but not for another list');
is(scalar($sandbox->calls($mark)), 1, 'and planning makes no call');

# A list of values against the pages of the list
$mark = $sandbox->mark;
my $session = XeroSession->new($node);
my $keys = $session->rows('SELECT string_agg(quote_literal(contact_id), $$,$$) FROM (SELECT contact_id FROM paged LIMIT 300) AS x');
$session->quit;
$node->safe_psql('postgres', q{CREATE FOREIGN TABLE wide (contact_id uuid, name text) SERVER xero OPTIONS (object 'accounting/Contacts', page_size '150')});
$mark = $sandbox->mark;
is(XeroSession->new($node)->rows("SELECT count(name) FROM wide WHERE contact_id IN ($keys)"), 300, 'a list of 300 keys in a fresh session');
is(scalar($sandbox->calls($mark)), 2, 'is two pages, not eight lists');

# Others
$node->safe_psql('postgres', q{CREATE USER MAPPING FOR stranger SERVER xero OPTIONS (access_token 'guessed')});
$node->safe_psql('postgres', q{CREATE USER MAPPING FOR colleague SERVER xero OPTIONS (access_token 'sandbox-token')});
is(planned('paged', 'stranger'), 100, 'a role that has proved nothing knows nothing');
is(XeroSession->new($node, user => 'stranger')->try('SELECT count(*) FROM paged')->{state}, '28000', 'its token is refused');
is(planned('paged', 'stranger'), 100, 'so it is told nothing');
is(planned('paged', 'colleague'), 100, 'nor is one whose token is not known yet');
is(XeroSession->new($node, user => 'colleague')->rows('SELECT count(name) FROM living') > 200, 1, 'it is accepted');
is(planned('paged', 'colleague'), 15, 'now it knows what others were told');
is(planned('living'), planned('living', 'colleague'), 'and they know what it was told');
$node->safe_psql('postgres', q{ALTER USER MAPPING FOR colleague SERVER xero OPTIONS (SET access_token 'other')});
is(planned('paged', 'colleague'), 100, 'with other credentials it knows nothing');
$node->safe_psql('postgres', 'SELECT xero_fdw.reset_stats()');
is(planned('paged'), 100, 'reset_stats() forgets');

done_testing();
