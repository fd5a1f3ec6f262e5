# What Xero does not tell a person without the role for it, the bank details of
# contacts, is no change: it empties nothing here, and is not written back.
use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSync;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--contacts', 0, '--invoices', 0, '--strict', '--no-limits' ],
	server => { minute_limit => 1000000, day_limit => 1000000 });
my $sandbox = $xero->sandbox;
my $crm = XeroSync->new($xero);
my %fields = (%{ XeroSync::fields() }, bank => 'bank_account_details', batch => { xero => 'batch_payments', direction => 'to_local', to_local => q{batch_payments ->> 'BankAccountNumber'} });

sub contact { my ($name) = @_; return (grep { $_->{Name} eq $name } values %{ $crm->xero })[0] // {}; }
sub touch { my ($set) = @_; $crm->xero_sets($_->{ContactID}, $set) foreach values %{ $crm->xero }; return; }
sub here { return $crm->rows(q{SELECT string_agg(concat_ws(' ', name, bank, batch), ', ' ORDER BY name) FROM crm.contacts}); }
sub there { return join(', ', map { "$_->{Name} $_->{BankAccountDetails}" } sort { $a->{Name} cmp $b->{Name} } values %{ $crm->xero }); }
sub issues { return $crm->rows('SELECT kind, message FROM xero_fdw.sync_issues'); }

# A run that must be done, and the calls it makes.
sub runs
{
	my ($name, $calls) = @_;
	my $run = $crm->run('crm');
	is($run->{state}, 'done', $name) or diag($run->{text});
	is_deeply($run->{calls_by}, $calls, "$name: the calls") or diag(join("\n", @{ $run->{lines} }));
	return;
}

sub start
{
	my (%option) = @_;
	$crm->rows('SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs; DROP TABLE IF EXISTS crm.contacts; ' . XeroSync::table_of('crm.contacts')
		. q{; ALTER TABLE crm.contacts ADD bank text, ADD batch text});
	$sandbox->reset(seed => 1, contacts => 0, invoices => 0, limits => JSON::PP::false, strict => JSON::PP::true);
	$crm->xero_has({ Name => 'Ann', BankAccountDetails => '06-1', BatchPayments => { BankAccountNumber => '06-1' } }, { Name => 'Bob', BankAccountDetails => '06-2' });
	$sandbox->quirks(@{ $option{quirks} // [] });
	$crm->rows($option{before}) if $option{before};
	$crm->create('crm', match_on => ['name'], fields => \%fields, %{ $option{sync} // {} });
	return;
}

foreach my $quirk (qw(bank-details-absent bank-details-masked))
{
	# who had the role loses it
	start();
	runs("$quirk: with the role", { GET => 1 });
	is(here(), 'Ann 06-1 06-1, Bob 06-2', "... all comes");
	$sandbox->quirks($quirk);
	touch({ FirstName => 'x' });
	runs("$quirk: without it", { GET => 1 });
	is(here(), 'Ann 06-1 06-1, Bob 06-2', '... nothing is emptied');
	is($crm->rows(q{SELECT string_agg(first, '' ORDER BY name) FROM crm.contacts}), 'xx', '... and all else comes');
	is($crm->rows(q{SELECT * FROM xero_fdw.audit_sync('crm')}), '', '... an audit finds nothing');
	$crm->rows(q{UPDATE crm.contacts SET email = 'a@example.com'});
	runs("$quirk: an edit of something else", { GET => 1, POST => 1 });
	is(there() . issues(), 'Ann 06-1, Bob 06-2', '... nothing is written back');
	runs("$quirk: a quiet run", { GET => 1 });
	$crm->rows(q{UPDATE crm.contacts SET bank = NULL WHERE name = 'Ann'; UPDATE crm.contacts SET bank = '06-3' WHERE name = 'Bob'});
	runs("$quirk: an edit of the details", { GET => 1, POST => 1 });
	is(there(), 'Ann 06-1, Bob 06-2', '... needs the role');
	like(issues(), qr/You do not have permission to change bank account details/, '... as an issue says');
	$sandbox->quirks;
	touch({ FirstName => 'y' });
	runs("$quirk: with the role again", { GET => 1, POST => 1 });
	is(there() . issues() . ', ' . here(), 'Ann , Bob 06-3, Ann 06-1, Bob 06-3', '... both edits arrive');
	runs("$quirk: a quiet run", { GET => 1 });

	# who never had it
	start(quirks => [$quirk], before => q{INSERT INTO crm.contacts (name, bank) VALUES ('Ann', '07-1')});
	runs("$quirk: never told", { GET => 1 });
	is(here() . '; ' . there(), 'Ann 07-1, Bob; Ann 06-1, Bob 06-2', '... nothing is sent in its place');
	runs("$quirk: a quiet run", { GET => 1 });
	$crm->rows(q{SELECT xero_fdw.alter_sync('crm', conflict => 'local')});
	$sandbox->quirks;
	touch({ FirstName => 'x' });
	runs("$quirk: told at last", { GET => 1, POST => 1 });
	is(here() . '; ' . there(), 'Ann 07-1 06-1, Bob 06-2; Ann 07-1, Bob 06-2', '... what differs goes by the policy');
	runs("$quirk: a quiet run", { GET => 1 });
}

# Rows of one's own, with the role and without; and details that were never there
start(before => q{INSERT INTO crm.contacts (name, bank) VALUES ('Cid', '08-1'), ('Dan', NULL)});
runs('new rows', { GET => 1, PUT => 1 });
is(there(), 'Ann 06-1, Bob 06-2, Cid 08-1, Dan ', '... go with their details');
$crm->rows(q{UPDATE crm.contacts SET bank = '08-2' WHERE name = 'Dan'});
runs('details of one that had none', { GET => 1, POST => 1 });
is(there(), 'Ann 06-1, Bob 06-2, Cid 08-1, Dan 08-2', '... go');
runs('a quiet run', { GET => 1 });

$crm->quit;
done_testing();
