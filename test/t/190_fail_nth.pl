# What xero_fdw asks of the system fails, at each of the places where it asks:
# memory, libcurl, sockets, epoll, timers.  A statement then gives its rows, all
# of them, or an error that names the matter.  Nothing crashes, hangs or stays
# taken, and the next statement of the session is as if nothing had been.
#
# json-c is left out: it writes through the NULL that it gets for a member's name.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroFail;
use XeroTest;

XeroFail::library() or plan skip_all => 'the module cannot be built';
my $xero = XeroTest->new(
	# answers that take their time, so that each is waited for
	sandbox => [ '--seed', 1, '--no-limits', '--latency', 3 ],
	conf => XeroFail::settings() . "\nrestart_after_crash = on",
	server => { client_id => 'sandbox-client', grant_type => 'client_credentials' },
	mapping => { client_secret => 'sandbox-secret' });
XeroFail::create($xero);
my @ALL = (@XeroFail::MEMORY, @XeroFail::CURL, @XeroFail::SYSTEM);

# What was answered with an error is stored once, or not at all; if it is, that is
# said.
sub stored
{
	my ($trial) = @_;
	my $found = $trial->{next_rows} + 0;
	return "stored $found times" if $found > 1 || ($trial->{state} eq '00000' && $found != 1);
	return "stored, and nobody is told: $trial->{errors}"
	  if $found == 1 && $trial->{state} ne '00000' && $trial->{errors} !~ /WARNING|outcome of a write to Xero is unknown/;
	return;
}

my %insert = (
	sql => sub { "INSERT INTO xero.contacts (name) VALUES ('trial $_[0]')" },
	next => sub { "SELECT count(*) FROM xero.contacts WHERE name = 'trial $_[0]'" },
	check => \&stored);

XeroFail::fresh($xero, { name => 'accounts', sql => 'SELECT count(account_id), min(name) FROM xero.accounts' },
	@ALL, @XeroFail::WITHOUT_END);
XeroFail::lasting($xero, { name => 'pages', sql => 'SELECT count(invoice_number), sum(total) FROM xero.invoices' }, @ALL);
XeroFail::lasting($xero, { name => 'details', sql => q{SELECT count(contact_id::text), string_agg(name, ',' ORDER BY name) FROM xero.contact_group_contacts} }, @XeroFail::MEMORY);
# What was not sent is not in doubt.
XeroFail::lasting($xero, { name => 'insert', %insert }, @XeroFail::CURL);
XeroFail::lasting($xero, { name => 'insert in doubt', %insert, good => qr/^(00000|53000|53200|08001|08006|08007)$/ },
	@XeroFail::MEMORY, @XeroFail::SYSTEM);

# An error while a transaction is being rolled back begins that once more, not for ever.
XeroFail::quiet($xero, 'while in ABORT state');
XeroFail::lasting($xero, { name => 'insert, to the end', %insert, check => sub { return } },
	[ 'palloc', 'NOMEM', 1_000_000_000 ]);
XeroFail::quiet($xero);
done_testing();
