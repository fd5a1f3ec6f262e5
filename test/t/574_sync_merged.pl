# Contacts that are merged at Xero: the row of the one that is gone goes along to the
# one that lives on.  Nothing is written to a dead contact, nobody ends, and where
# both have rows a person is asked.
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
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $crm = XeroSync->new($xero);

my %id;
sub contact { my ($name) = @_; return $crm->xero->{ $id{$name} }; }
sub issues { return $crm->rows(q{SELECT string_agg(kind || ' ' || coalesce(local_key->>0, '-'), ', ' ORDER BY local_key) FROM xero_fdw.sync_issues}); }
sub row { my ($n, @columns) = @_; return $crm->rows('SELECT ' . join(', ', map { "coalesce($_\::text, '')" } @columns) . " FROM crm.contacts WHERE id = $n"); }
sub active { return join(' ', sort map { $_->{Name} } grep { $_->{ContactStatus} eq 'ACTIVE' } values %{ $crm->xero }); }
sub merge { my ($dead, $into, %option) = @_; $sandbox->change(object => 'Contacts', id => $id{$dead}, merge => $id{$into}, %option); return; }
sub dead_as_it_was { my ($name, $was) = @_; my ($now) = contact($name); return join('|', map { $now->{$_} // '' } qw(Name EmailAddress FirstName)) eq join('|', map { $was->{$_} // '' } qw(Name EmailAddress FirstName)); }

# A run that must be done, and what it writes; GET => 1 may be among it.
sub runs
{
	my ($name, $writes) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $run = $crm->run('crm');
	is($run->{state}, 'done', "$name: done") or diag($run->{text});
	my %calls = %{ $run->{calls_by} };
	delete $calls{GET} unless exists(($writes // {})->{GET});
	is_deeply(\%calls, $writes // {}, "$name: what is called") or diag(join("\n", @{ $run->{lines} }));
	return $run;
}

sub quiet
{
	my ($name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	runs("$name, the next run", { GET => 1 });
	return;
}

# Contacts at Xero, of which those that are named first have the rows 1, 2 ...
sub begin
{
	my ($rows, $others, %option) = @_;
	%id = ();
	$crm->clear($option{quirks} ? (quirks => $option{quirks}) : ());
	foreach my $name (@$rows, @$others) { ($id{$name}) = $crm->xero_has({ Name => $name, EmailAddress => lc($name) . '@example.com', IsCustomer => $name =~ /^Out/ ? JSON::PP::false : JSON::PP::true }); }
	%id = map { $_ => lc($id{$_}) } keys %id;
	$crm->rows(join(';', map { "INSERT INTO crm.contacts (name, xero_id) VALUES ('$_', '$id{$_}')" } @$rows));
	$crm->create('crm', match_on => ['name'], on_delete => 'archive', initial => 'new_only', %{ $option{sync} // {} });
	$crm->rows(q{UPDATE crm.contacts SET email = lower(name) || '@example.com', status = 'ACTIVE'});
	runs('begin');
	return;
}

# The link moves: what both sides have edited arrives, at the one who lives on.
foreach my $direction ('both', 'push')
{
	foreach my $how ('at once', 'only an audit sees it')
	{
		my $case = "$direction, $how";
		begin([ 'Ann', 'Bob' ], ['Anna'], sync => { direction => $direction });
		my $was = contact('Ann');
		$crm->rows(q{UPDATE crm.contacts SET first = 'Mine' WHERE id = 1}) if $how eq 'at once';
		merge('Ann', 'Anna', silent => $how eq 'at once' ? JSON::PP::false : JSON::PP::true);
		$crm->xero_sets($id{Anna}, { CompanyNumber => '77' });
		if ($how ne 'at once')
		{
			runs("$case: a run");
			is(row(1, 'xero_id'), $id{Ann}, "$case: ... sees nothing");
			is($crm->rows(q{SELECT string_agg(finding, ' ') FROM xero_fdw.audit_sync('crm') WHERE local_key = '[1]'}), 'differs', "$case: an audit does");
			$crm->rows(q{UPDATE crm.contacts SET first = 'Mine' WHERE id = 1});
		}
		runs($case, { POST => 1 });
		is(row(1, 'xero_id'), $id{Anna}, "$case: the row names the one who lives on");
		is(contact('Anna')->{FirstName}, 'Mine', "$case: ... who has what was edited here");
		is(row(1, qw(name email account status)), $direction eq 'both' ? 'Anna|anna@example.com|77|ACTIVE' : 'Ann|ann@example.com||ACTIVE', "$case: ... and the row what is different there");
		ok(dead_as_it_was('Ann', $was), "$case: nothing was written to the dead one");
		is(active() . issues(), 'Anna Bob', "$case: nobody has ended, and there are no issues");
		quiet($case);
		$crm->rows(q{UPDATE crm.contacts SET first = 'Later' WHERE id = 1});
		runs("$case: an edit", { POST => 1 });
		is(contact('Anna')->{FirstName}, 'Later', "$case: ... goes to the one who lives on");
		$crm->xero_sets($id{Ann}, { FirstName => 'Ghost' });
		runs("$case: an edit of the dead one");
		is(row(1, 'first'), 'Later', "$case: ... comes nowhere");
		$crm->rows('DELETE FROM crm.contacts WHERE id = 1');
		runs("$case: a deletion", { POST => 1 });
		is(active(), 'Bob', "$case: ... ends the one who lives on");
	}
}

# The one who lives on waits for a row, in a sync that only pushes.
begin(['Ann'], ['Anna'], sync => { direction => 'push', initial => 'merge' });
merge('Ann', 'Anna');
runs('a contact without a row');
is(row(1, 'xero_id'), $id{Anna}, 'a contact without a row: the row names the one who lives on');
quiet('a contact without a row');

# It cannot be known when the row is edited; Xero takes the write, or does not.
foreach my $refused (0, 1)
{
	my $case = $refused ? 'an edit that is refused' : 'an edit that is taken';
	begin(['Ann'], ['Anna'], quirks => $refused ? ['merged-contacts-refused'] : []);
	merge('Ann', 'Anna', silent => JSON::PP::true);
	$crm->rows(q{UPDATE crm.contacts SET first = 'Mine' WHERE id = 1});
	runs($case, { POST => $refused ? 1 : 2 });
	if ($refused)
	{
		is(issues(), 'validation 1', "$case: is an issue");
		$crm->rows(q{SELECT * FROM xero_fdw.audit_sync('crm')});
		runs("$case, after an audit", { POST => 1 });
	}
	is(row(1, qw(xero_id first)), "$id{Anna}|Mine", "$case: the row goes along");
	is(contact('Anna')->{FirstName}, 'Mine', "$case: ... and with it the edit");
	is(active() . issues(), 'Anna', "$case: nobody ends, and there are no issues");
	quiet($case);
}

# The one who lives on has a row, too
begin([ 'Ann', 'Anna' ], []);
my $was = contact('Ann');
merge('Ann', 'Anna');
is($crm->rows(q{SELECT why FROM xero_fdw.plan_sync('crm') WHERE action = 'issue'}), "record $id{Ann} was merged into $id{Anna}, which has row [2]", 'two rows: a plan says so');
runs('two rows');
is(issues(), 'ambiguous 1', '... the row of the dead one is an issue');
is($crm->rows('SELECT message FROM xero_fdw.sync_issues'), "record $id{Ann} was merged into $id{Anna}, which has row [2]", '... that says which');
quiet('two rows');
$crm->rows(q{UPDATE crm.contacts SET first = 'Mine'});
runs('edits of both', { POST => 1 });
is(contact('Anna')->{FirstName}, 'Mine', '... one arrives');
ok(dead_as_it_was('Ann', $was), '... nothing is written to the dead one');
$crm->rows('DELETE FROM crm.contacts WHERE id = 1');
runs('the row of the dead one is deleted');
is(active() . issues(), 'Anna', '... nobody ends, and the issue has ended');
quiet('the row of the dead one is deleted');

# ... and the other row is deleted instead, before the merge is seen, with it, and
# after: the one who lives on belongs to the row that stays.
foreach my $when ('with it', 'after')
{
	begin([ 'Ann', 'Anna' ], []);
	merge('Ann', 'Anna');
	runs('two rows') if $when eq 'after';
	$crm->rows('DELETE FROM crm.contacts WHERE id = 2');
	runs("the other row is deleted $when");
	is(active() . issues(), 'Anna', "$when: nobody ends, and there are no issues");
	is(row(1, qw(xero_id name)), "$id{Anna}|Anna", "$when: the row that stays has the one who lives on");
	quiet("the other row is deleted $when");
}

# The one who lives on is not among those that the sync reads: one call asks for it.
begin(['Ann'], ['Out'], sync => { xero_filter => 'is_customer' });
merge('Ann', 'Out');
runs('filtered out', { GET => 2 });
is(row(1, qw(xero_id name)), "$id{Out}|Out", '... the row goes along');
quiet('filtered out');
$crm->rows(q{UPDATE crm.contacts SET first = 'Mine'});
runs('filtered out: an edit', { POST => 1 });
is(contact('Out')->{FirstName}, 'Mine', '... goes there');

# ... or is there no more
begin(['Ann'], ['Out'], sync => { xero_filter => 'is_customer' });
merge('Ann', 'Out');
$sandbox->change(object => 'Contacts', id => $id{Out}, delete => JSON::PP::true);
runs('gone', { GET => 2 });
is($crm->rows('SELECT message FROM xero_fdw.sync_issues'), "record $id{Ann} was merged into $id{Out}, which is not there", '... is an issue');
quiet('gone');

# Merged on and on: in one run, and with one in between
foreach my $between (0, 1)
{
	begin([ 'Ann', 'Dan' ], [ 'Anna', 'Annette' ]);
	merge('Ann', 'Anna');
	runs('merged') if $between;
	merge('Anna', 'Annette');
	runs("merged on, $between");
	is(row(1, qw(xero_id name)), "$id{Annette}|Annette", '... the row goes along to the last one');
	quiet('merged on');
	merge('Annette', 'Dan');
	runs("merged on, $between");
	is($crm->rows('SELECT message FROM xero_fdw.sync_issues'), "record $id{Annette} was merged into $id{Dan}, which has row [2]", '... until it has a row');
	is(active(), 'Dan', '... and nobody has ended');
}

# New ones: dead contacts get no rows, and rows that match them go to who lives on.
%id = ();
$crm->clear;
foreach my $name (qw(Ann Anna Bob Bobby)) { ($id{$name}) = map { lc } $crm->xero_has({ Name => $name }); }
merge('Ann', 'Anna');
merge('Bob', 'Bobby');
$crm->rows(q{INSERT INTO crm.contacts (name) VALUES ('Ann')});
$crm->create('crm', match_on => ['name']);
runs('a first run');
is($crm->rows(q{SELECT string_agg(name || ' ' || (xero_id = '} . $id{Anna} . q{'), ', ' ORDER BY id) FROM crm.contacts}), 'Anna true, Bobby false', '... rows are of the living');
is(issues(), '', '... without issues');
quiet('a first run');

# Where records only come from Xero, dead ones are rows like any, and rows go along
# if the one who lives on has none.
begin([], [ 'Ann', 'Anna', 'Bob', 'Out' ], sync => { direction => 'pull', initial => 'merge', xero_filter => 'is_customer' });
merge('Ann', 'Anna');
merge('Bob', 'Out');
my $bob = $crm->rows(q{SELECT id FROM crm.contacts WHERE name = 'Bob'});
runs('pull');
is($crm->rows(q{SELECT string_agg(name || ' ' || status, ', ' ORDER BY name) FROM crm.contacts}), 'Ann ARCHIVED, Anna ACTIVE, Out ACTIVE', 'pull: ... the dead one is archived, or has gone along');
is(row($bob, qw(xero_id name)), "$id{Out}|Out", 'pull: ... with the row that it had');
is(issues(), '', 'pull: ... without issues');
quiet('pull');
$crm->rows('SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs; TRUNCATE crm.contacts');

# A row that has waited for a person since the first run waits again after it was
# loaded anew: it is not created.
foreach my $key ('id', 'id + 100')
{
	$crm->clear;
	%id = map { $_ => lc(($crm->xero_has({ Name => $_ }))[0]) } 'Ann', 'Bob';
	merge('Ann', 'Bob');
	$crm->rows("INSERT INTO crm.contacts (name) VALUES ('Ann'), ('Bob')");
	$crm->create('crm', match_on => ['name'], on_delete => 'archive');
	runs('a row of a dead contact');
	is(issues(), 'ambiguous 1', '... waits for a person');
	$crm->rows("CREATE TEMP TABLE was AS SELECT * FROM crm.contacts; BEGIN; TRUNCATE crm.contacts;
		INSERT INTO crm.contacts (id, name) SELECT $key, name FROM was; COMMIT; DROP TABLE was");
	runs("it is loaded anew with $key");
	is(active() . ' ' . issues(), 'Bob ambiguous ' . ($key eq 'id' ? 1 : 101), '... and waits again');
}
$crm->rows('SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs; TRUNCATE crm.contacts');
begin([], ['Anna', 'Out']);
$crm->rows('SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs; TRUNCATE crm.contacts');

# Mirrors have each record as it is; documents of the dead one come to the other one
# with an audit, as Xero does not say that they have changed.
$crm->superuser->rows('GRANT CREATE ON DATABASE postgres TO books; GRANT SELECT ON xero.invoices TO books');
my $json = JSON::PP->new;
my ($invoice) = @{ $sandbox->data(object => 'Invoices', records => [ { Type => 'ACCREC', Status => 'AUTHORISED', InvoiceNumber => 'INV-1', Contact => { ContactID => $id{Anna}, Name => 'Anna' }, LineItems => [], UpdatedDateUTC => '/Date(1700000000000+0000)/' } ])->{keys} };
$crm->rows(q{CALL xero_fdw.mirror('xero', 'books', '{contacts, invoices}')});
is($crm->rows('SELECT contact_id FROM books.invoices'), $id{Anna}, 'a mirror');
merge('Anna', 'Out');
$crm->run('books.contacts');
$crm->run('books.invoices');
is($crm->rows("SELECT contact_status, merged_to_contact_id FROM books.contacts WHERE contact_id = '$id{Anna}'"), "ARCHIVED|$id{Out}", '... shows who was merged into whom');
is($crm->rows('SELECT contact_id FROM books.invoices'), $id{Anna}, '... and nothing of that at an invoice');
is($crm->rows(q{SELECT finding FROM xero_fdw.audit_sync('books.invoices')}), 'differs', '... until an audit finds it');
is($crm->run('books.invoices')->{state}, 'done', '... and the next run');
is($crm->rows('SELECT contact_id, contact_name FROM books.invoices'), "$id{Out}|Out", '... puts it right');

$crm->quit;
done_testing();
