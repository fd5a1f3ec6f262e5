# The brake: a run stops before its first request if it would end many records
# at Xero, or give them the identities of other rows, and a person has the word.
use strict;
use warnings;

use XeroSync;
use XeroTest;
use Test::More;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--contacts', 0, '--invoices', 0, '--strict', '--no-limits' ],
	server => { minute_limit => 1000000, day_limit => 1000000 });
my $sandbox = $xero->sandbox;
my $crm = XeroSync->new($xero);
$crm->rows(q{SET xero_fdw.max_wait = '100ms'});

sub ended { return scalar(grep { $_->{ContactStatus} ne 'ACTIVE' } values %{ $crm->xero }); }
sub names { return join(' ', sort map { $_->{Name} } values %{ $crm->xero }); }

sub writes
{
	my ($run) = @_;
	my %writes = %{ $run->{calls_by} };
	delete $writes{GET};
	return \%writes;
}

sub runs
{
	my ($name, $writes, %option) = @_;
	my $run = $crm->run('crm', %option);
	is($run->{state}, 'done', $name) or diag($run->{text});
	is_deeply(writes($run), $writes // {}, "$name: what is written") or diag(join("\n", @{ $run->{lines} }));
	return;
}

# A run that stops; what it would do is the same in a plan.
sub stops
{
	my ($name, $what) = @_;
	my $run = $crm->run('crm');
	is($run->{state} . ' ' . $run->{sqlstate_of_call}, 'failed 55000', "$name: stops");
	like($run->{text}, qr/ERROR: .*sync "crm" would \Q$what in Xero\E/, "$name: the error says what it would do");
	like($run->{text}, qr/HINT: .*run_sync\('crm', force => true\)/, "$name: and what to do");
	is_deeply(writes($run), {}, "$name: nothing is written");
	is($crm->rows(q{SELECT why FROM xero_fdw.plan_sync('crm') WHERE action = 'stop'}), qq{sync "crm" would $what in Xero}, "$name: the plan says the same");
	like($crm->rows(q{SELECT problem FROM xero_fdw.syncs}), qr/would \Q$what\E in Xero/, "$name: and so does the view");
	return;
}

sub begin
{
	my (%option) = @_;
	$crm->clear;
	$crm->local_has(map { { name => sprintf('Ann %02d', $_) } } 1 .. 40);
	$crm->create('crm', match_on => ['name'], on_delete => 'archive', %option);
	runs('first run', { PUT => 1 });
	return;
}

begin();
$crm->rows('DELETE FROM crm.contacts WHERE id <= 10');
runs('as few as ten are no mistake', { POST => 1 });
is(ended(), 10, '... and are ended');
$crm->rows('DELETE FROM crm.contacts WHERE id <= 21');
stops('a third of all', 'end 11 of its 30 records');
my ($id) = grep { $crm->xero->{$_}{Name} eq 'Ann 30' } keys %{ $crm->xero };
$crm->xero_sets($id, { EmailAddress => 'ann@example.com' });
stops('again', 'end 11 of its 30 records');
is($crm->rows(q{SELECT email FROM crm.contacts WHERE name = 'Ann 30'}), 'ann@example.com', 'what Xero has changed comes meanwhile');
is(ended(), 10, 'nobody was ended meanwhile');
like($crm->rows(q{SELECT last_progress > last_done FROM xero_fdw.syncs}), qr/t/, 'the view shows that it got somewhere');
runs('with force', { POST => 1 }, force => 1);
is(ended(), 21, '... they are ended');
is($crm->rows(q{SELECT problem IS NULL AND last_progress = last_done FROM xero_fdw.syncs}), 't', '... and nothing stands in the way');
runs('once more, without');

# rows that are back
begin();
$crm->rows('CREATE TEMP TABLE gone AS SELECT * FROM crm.contacts WHERE id > 20; DELETE FROM crm.contacts WHERE id > 20');
stops('half of all', 'end 20 of its 40 records');
$crm->rows('INSERT INTO crm.contacts SELECT * FROM gone; DROP TABLE gone');
runs('they are back');
is(ended(), 0, '... and stay');

# how much it takes
$crm->rows(q{SELECT xero_fdw.alter_sync('crm', brake => 0.5); DELETE FROM crm.contacts WHERE id <= 20});
runs('a brake that lets half of them go', { POST => 1 });
$crm->rows(q{SELECT xero_fdw.alter_sync('crm', brake => 1); DELETE FROM crm.contacts WHERE id <= 38});
runs('no brake', { POST => 1 });
is(ended(), 38, '... ends nearly all');
foreach my $wrong ('1.5', '-0.1', q{'NaN'})
{
	like($crm->session->try("SELECT xero_fdw.alter_sync('crm', brake => $wrong)")->{text}, qr/brake is \S+, which is not from 0 to 1/, "a brake of $wrong");
}
is($crm->rows('SELECT brake FROM xero_fdw.syncs'), 1, 'it stays as it was');
begin(brake => 0);
$crm->rows('DELETE FROM crm.contacts WHERE id <= 11');
stops('a brake of 0', 'end 11 of its 40 records');

# A run that is paused: what it has let through stays so, and what is new is counted.
sub pauses
{
	my ($name, %option) = @_;
	$sandbox->faults({ path => '/api.xro/2.0/Contacts', method => 'POST', problem => 'day', retry_after => 300, times => 1 });
	is($crm->run('crm', %option)->{state}, 'paused', "$name is paused");
	$sandbox->faults;
	$crm->superuser->rows(q{SELECT xero_fdw.clear_block('xero')});
	return;
}
begin();
$crm->rows('DELETE FROM crm.contacts WHERE id <= 15');
pauses('with force', force => 1);
is($crm->rows(q{SELECT count(*) FROM xero_fdw.plan_sync('crm') WHERE action = 'stop'}), 0, '... the plan lets it go on');
$crm->rows('DELETE FROM crm.contacts WHERE id <= 26');
stops('more than that', 'end 11 of its 40 records');
$crm->rows('INSERT INTO crm.contacts (id, name) VALUES (26, \'Ann 26\')');
runs('ten more', { POST => 1 });
is(ended(), 25, '... all are ended');

# other identities: not what an UPDATE has changed, but what a load has mixed up
begin();
$crm->rows(q{UPDATE crm.contacts SET name = replace(name, 'Ann', 'Bob') WHERE id <= 25});
runs('names that were changed by an UPDATE', { POST => 1 });
$crm->rows(q{CREATE TEMP TABLE was AS SELECT * FROM crm.contacts; TRUNCATE crm.contacts;
	INSERT INTO crm.contacts (id, xero_id, name, email) SELECT id, xero_id, 'Mixed ' || id, 'x@example.com' FROM was});
my $names = names();
stops('a load that has mixed them up', q{give other rows' identities to 40 of its 40 records});
is(names(), $names, '... renames nobody');
$crm->rows(q{TRUNCATE crm.contacts; INSERT INTO crm.contacts SELECT * FROM was; DROP TABLE was});
runs('the right rows');
is_deeply([ $crm->differences, $crm->doubles ], [], '... and all is as it was');

# a first run brings together what there is
$crm->clear;
my @ids = $crm->xero_has(map { { Name => "Old $_" } } 1 .. 20);
$crm->local_has(map { { name => "New $_" } } 1 .. 20);
$crm->rows("UPDATE crm.contacts SET xero_id = '$ids[$_]' WHERE id = $_ + 1") foreach 0 .. 19;
$crm->create('crm', match_on => ['name'], initial => 'local_to_xero', conflict => 'local');
pauses('a first run');
runs('a first run', { POST => 1 });
like(names(), qr/^New 1 .*New 9$/, '... is not stopped');

# a foreign table of Xero that lacks what a change needs
$crm->clear;
$crm->superuser->rows('GRANT USAGE ON FOREIGN SERVER xero TO books');
$crm->rows('CREATE FOREIGN TABLE crm.thin (tenant_id uuid, contact_id uuid OPTIONS (field \'ContactID\'), name text OPTIONS (field \'Name\')) SERVER xero OPTIONS (object \'accounting/Contacts\')');
like($crm->session->try($crm->create_statement('crm', xero_table => 'crm.thin', on_delete => 'archive', match_on => ['name'], fields => { xero_id => 'contact_id', name => 'name' }))->{text},
	qr/Foreign table "thin" has no column for ContactStatus. Xero needs its present value/, 'a column that changes need is missed when the sync is defined');
$crm->rows('DROP FOREIGN TABLE crm.thin');

$crm->quit;
done_testing();
