# Rows that could be taken for others: that say the same, have the keys of others, or
# are gone from one partition while another one gets such a row.  Nobody gets another
# one's record, ends, or is there twice.
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
$crm->superuser->rows('CREATE SCHEMA payroll_au; IMPORT FOREIGN SCHEMA payroll_au LIMIT TO (employees) FROM SERVER xero INTO payroll_au;
	GRANT USAGE ON SCHEMA payroll_au TO books; GRANT ALL ON payroll_au.employees TO books');
my %WITH_ID = %{ XeroSync::fields() };
my %NO_ID = %WITH_ID;
delete $NO_ID{xero_id};
my $COLUMNS = 'xero_id uuid, name text, email text, account text, first text, surname text, status text';

sub contact { my ($name) = @_; return (grep { $_->{Name} eq $name } values %{ $crm->xero })[0] // {}; }
sub names { return join(' ', sort map { $_->{Name} . ($_->{ContactStatus} eq 'ACTIVE' ? '' : '-') } values %{ $crm->xero }); }
sub ids { return { map { $_->{Name} => $_->{ContactID} } values %{ $crm->xero } }; }
sub here { return $crm->rows('SELECT string_agg(name, \' \' ORDER BY name) FROM crm.contacts'); }
sub issues { return $crm->rows(q{SELECT string_agg(kind || coalesce(local_key::text, ''), ' ' ORDER BY kind, local_key) FROM xero_fdw.sync_issues}); }

# The table is emptied and loaded again, in one transaction.
sub load
{
	my ($emptied, $table, $into, $select, $more) = @_;
	return "BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE $table; $emptied $table; INSERT INTO $table ($into) SELECT $select FROM kept"
	  . ($more // '') . '; COMMIT';
}

# A run, and one more that has nothing to do.
sub settles
{
	my ($case, $writes) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	$crm->runs($case, $writes);
	$crm->quiet($case);
	return;
}

# Partitions, where numbers begin anew in each.
sub parted
{
	my ($rows, %option) = @_;
	$crm->clear;
	$crm->rows("DROP TABLE IF EXISTS crm.parted;
		CREATE TABLE crm.parted (year integer, no integer, $COLUMNS, PRIMARY KEY (year, no)) PARTITION BY LIST (year);"
		. join('', map { "CREATE TABLE crm.parted_$_ PARTITION OF crm.parted FOR VALUES IN ($_);" } 2024 .. 2026)
		. "INSERT INTO crm.parted (year, no, name, email) VALUES $rows");
	$crm->create('crm', local_table => 'crm.parted', match_on => ['name'], direction => 'push', %option);
	$crm->runs('partitions', { PUT => 1 });
	return ids();
}
my $three = q{(2024, 1, 'Ann', 'a@example.com'), (2025, 1, 'Bob', 'b@example.com'), (2026, 1, 'Cid', 'c@example.com')};
my $ids = parted($three, on_delete => 'archive');
$crm->rows(load('DELETE FROM', 'crm.parted', 'year, no, xero_id, name, email', 'year, no, xero_id, name, email'));
settles('the same rows, with their ids');
is(names() . issues(), 'Ann Bob Cid', '... nobody has ended');
is_deeply(ids(), $ids, '... or become another one');
$ids = parted($three, on_delete => 'archive', fields => \%NO_ID);
$crm->rows(load('DELETE FROM', 'crm.parted', 'year, no, name, email', 'year, no, name, email'));
settles('the same rows, without ids');
is(names() . issues(), 'Ann Bob Cid', '... nobody has ended');
is_deeply(ids(), $ids, '... or become another one');
foreach my $on_delete ('ignore', 'archive')
{
	$ids = parted(q{(2025, 1, 'Ann', 'a@example.com')}, on_delete => $on_delete);
	$crm->rows(q{BEGIN; DELETE FROM crm.parted WHERE year = 2025; INSERT INTO crm.parted (year, no, name, email) VALUES (2026, 1, 'Zoe', 'z@example.com'); COMMIT});
	settles("one year goes, another one comes, $on_delete", { PUT => 1, ($on_delete eq 'archive' ? (POST => 1) : ()) });
	is(names(), $on_delete eq 'archive' ? 'Ann- Zoe' : 'Ann Zoe', '... nobody is renamed');
	is(ids()->{Ann}, $ids->{Ann}, '... or becomes another one');
}
$ids = parted(q{(2025, 1, 'Ann', 'a@example.com'), (2025, 2, 'Bob', 'b@example.com')}, on_delete => 'archive', fields => \%NO_ID);
$crm->rows(q{BEGIN; UPDATE crm.parted SET year = 2026, name = name || 'e'; UPDATE crm.parted SET year = 2024; INSERT INTO crm.parted (year, no, name) VALUES (2026, 1, 'Zoe'); COMMIT});
settles('rows that move twice, with other names, and a new one', { PUT => 1, POST => 1 });
is(names(), 'Anne Bobe Zoe', '... go on with their records');
is_deeply([ @{ ids() }{qw(Anne Bobe)} ], [ @$ids{qw(Ann Bob)} ], '... which are theirs');
$crm->rows(q{SELECT xero_fdw.drop_sync('crm'); DROP TABLE crm.parted});

# A copy that names the record of another row waits; the other one is deleted.
foreach my $on_delete ('archive', 'ignore')
{
	$crm->clear;
	$crm->local_has({ name => 'Ann' }, { name => 'Bob' });
	$crm->create('crm', match_on => ['name'], on_delete => $on_delete);
	$crm->runs('two rows', { PUT => 1 });
	$ids = ids();
	$crm->rows('INSERT INTO crm.contacts (xero_id, name) SELECT xero_id, name FROM crm.contacts WHERE id = 1');
	$crm->runs('a copy of one');
	is(issues(), 'ambiguous[3]', '... is an issue');
	$crm->rows('DELETE FROM crm.contacts WHERE id = 1');
	settles("the other one is deleted, $on_delete");
	is(names() . issues(), 'Ann Bob', '... the copy takes its place');
	is_deeply(ids(), $ids, '... and has its record');
}

# A record that was ended, and that somebody brings back, is a new one, be it at once.
foreach my $case ([ at_once => 0 ], [ later => 1 ], [ filtered => 2, xero_filter => q{contact_status = 'ACTIVE'} ])
{
	my ($name, $between, %option) = @$case;
	$crm->clear;
	$crm->local_has({ name => 'Ann' });
	$crm->create('crm', match_on => ['name'], on_delete => 'archive', %option);
	$crm->runs('a row', { PUT => 1 });
	$crm->rows('DELETE FROM crm.contacts');
	$crm->runs('... that is deleted', { POST => 1 });
	$crm->runs('... and rests', {}) foreach 1 .. $between;
	my ($ann) = keys %{ $crm->xero };
	$crm->xero_sets($ann, { ContactStatus => 'ACTIVE' });
	$crm->runs("... whose record is brought back, $name", {});
	is($crm->rows('SELECT name, xero_id FROM crm.contacts') . issues(), 'Ann|' . lc($ann), '... is there again');
}
foreach my $row ('', q{INSERT INTO crm.contacts (name, email) VALUES ('Ann', 'again@example.com')}, q{INSERT INTO crm.contacts (name, xero_id) VALUES ('Ann', '%s')})
{
	$crm->clear;
	$crm->local_has({ name => 'Ann' });
	$crm->create('crm', match_on => ['name'], on_delete => 'archive');
	$crm->runs('a row', { PUT => 1 });
	my $ann = ids()->{Ann};
	$crm->rows('DELETE FROM crm.contacts');
	settles('... that is deleted', { POST => 1 });
	$crm->xero_sets($ann, { ContactStatus => 'ACTIVE' });
	$crm->rows(sprintf($row, $ann)) if $row;
	$crm->run('crm');
	settles('... whose record is brought back');
	is($crm->rows('SELECT name, xero_id FROM crm.contacts') . names() . issues(), 'Ann|' . lc($ann) . 'Ann', "... is there again: $row");
}

# Nobody knows which record a row that belongs to one and names another means by being
# deleted.
$crm->clear;
$crm->local_has({ name => 'Ann' }, { name => 'Bob' });
$crm->create('crm', match_on => ['name'], on_delete => 'archive');
$crm->runs('two rows', { PUT => 1 });
$crm->rows('UPDATE crm.contacts AS a SET xero_id = b.xero_id FROM crm.contacts AS b WHERE b.id = 3 - a.id');
$crm->runs('their ids are swapped');
is(issues(), 'ambiguous[1] ambiguous[2]', '... they are issues');
$crm->rows('DELETE FROM crm.contacts WHERE id = 1');
settles('one of them is deleted');
is(names(), 'Ann Bob', '... and ends nobody');

# More rows than are looked at together are loaded anew, with other keys.
$crm->clear;
$crm->xero_has(map { { Name => sprintf('Person %04d', $_) } } 1 .. 2600);
$crm->create('crm', match_on => ['name'], on_delete => 'archive');
$crm->runs('many rows');
$crm->rows(load('DELETE FROM', 'crm.contacts', 'id, xero_id, name', '2601 - id, xero_id, name'));
settles('many rows that are loaded anew');
is((() = names() =~ /-/g) . issues(), '0', '... nobody ends');

# Employees of one surname: a key is no evidence of who a row is.
sub employees { return join(' ', map { "$_->{EmployeeID} $_->{FirstName}" } sort { $a->{EmployeeID} cmp $b->{EmployeeID} } @{ $sandbox->state('Employees') }); }
sub smiths
{
	$crm->clear;
	$sandbox->change(object => 'Employees', id => $_->{EmployeeID}, delete => JSON::PP::true) foreach @{ $sandbox->state('Employees') };
	$crm->rows(q{DROP TABLE IF EXISTS crm.employees; CREATE TABLE crm.employees (id integer PRIMARY KEY, first text, surname text, born date);
		INSERT INTO crm.employees VALUES (1, 'Ann', 'Smith', '1990-01-01'), (2, 'Bob', 'Smith', '1991-01-01')});
	$crm->create('crm', xero_table => 'payroll_au.employees', local_table => 'crm.employees', match_on => ['surname'], direction => 'push',
		fields => { first => 'first_name', surname => 'last_name', born => 'date_of_birth' });
	$crm->run('crm');
	return employees();
}
my $columns = 'first, surname, born';
foreach my $emptied ('DELETE FROM', 'TRUNCATE')
{
	my $was = smiths();
	$crm->rows(load($emptied, 'crm.employees', "id, $columns", "3 - id, $columns"));
	$crm->runs("$emptied, two of one name in another order");
	is(employees() . issues(), $was, '... are who they were');
	$was = smiths();
	$crm->rows(load($emptied, 'crm.employees', "id, $columns", "id + 1, $columns", q{; INSERT INTO crm.employees VALUES (1, 'Aaron', 'Smith', '1999-01-01')}));
	$crm->run('crm');
	like(employees(), qr/^(?=.*Aaron)(?=.*Ann)(?=.*Bob)/, "$emptied, one more, who comes first: nobody is another one");
	is(employees() =~ s/ ?\S+ Aaron//r =~ s/^ //r, $was, '... and he is new');
	$was = smiths();
	$crm->rows(load($emptied, 'crm.employees', "id, $columns", "id + 10, $columns", ' WHERE id = 1'));
	$crm->runs("$emptied, one of two comes back");
	is(employees(), $was, '... is who it was');
	$was = smiths();
	$crm->rows(load($emptied, 'crm.employees', "id, $columns", "id + 10, first || 'e', surname, born"));
	$crm->runs("$emptied, both come with other first names");
	is(employees() . ' ' . issues(), "$was ambiguous[11] ambiguous[12] ambiguous ambiguous", '... are for a person to tell');
}

# Contacts of one address
foreach my $emptied ('DELETE FROM', 'TRUNCATE')
{
	$crm->clear;
	$crm->xero_has(map { { Name => $_, EmailAddress => 's@example.com' } } qw(Ann Bob));
	$crm->create('crm', match_on => ['email'], direction => 'pull');
	$crm->runs('two of one address, pull');
	$crm->rows(load($emptied, 'crm.contacts', 'id, name, email', '3 - id, name, email'));
	settles("two of one address, pull, $emptied, in another order");
	is($crm->rows(q{SELECT string_agg(r.name || c.name, ' ' ORDER BY r.name) FROM crm.contacts AS r JOIN xero.contacts AS c ON c.contact_id = r.xero_id}), 'AnnAnn BobBob', '... have their own ids');
}
$crm->clear;
$crm->local_has(map { { name => $_, email => 's@example.com' } } qw(Ann Bob));
$crm->create('crm', match_on => ['email'], on_delete => 'archive', fields => \%NO_ID);
$crm->runs('two of one address', { PUT => 1 });
$crm->rows(load('DELETE FROM', 'crm.contacts', 'id, name, email', 'id + 10, name, email', ' WHERE id = 1'));
settles('one of them is inserted again', { POST => 1 });
is(names(), 'Ann Bob-', '... and the other one ends');

# Rows that have got one address, and come back.
foreach my $on_delete ('ignore', 'archive')
{
	$crm->clear;
	$crm->xero_has(map { { Name => $_, EmailAddress => lc($_) . '@example.com' } } qw(Ann Bob Cid));
	$crm->create('crm', match_on => ['email'], on_delete => $on_delete);
	$crm->runs('three');
	$crm->rows(q{UPDATE crm.contacts SET email = 'bob@example.com' WHERE name = 'Ann'});
	$crm->rows(load('DELETE FROM', 'crm.contacts', 'id, name, email', 'id + 10, name, email'));
	settles("an address of two, $on_delete", { POST => 1 });
	is(here() . ' ' . names() . issues(), 'Ann Bob Cid Ann Bob Cid', '... they are who they were');

	# Of two, none is made, and none ends, until it is known who they are.
	$crm->rows(q{UPDATE crm.contacts SET email = 'ann@example.com' WHERE name = 'Ann'});
	settles("her own address, $on_delete", { POST => 1 });
	$crm->rows(q{BEGIN; DELETE FROM crm.contacts WHERE name = 'Ann'; INSERT INTO crm.contacts (id, name, email) VALUES (21, 'Yan', 'ann@example.com'), (22, 'Zoe', 'ann@example.com'); COMMIT});
	settles("two for one, $on_delete");
	is(names() . ' ' . issues(), 'Ann Bob Cid ambiguous[21] ambiguous[22] ambiguous', '... wait');
	$crm->rows(q{UPDATE crm.contacts SET email = name || '@example.com' WHERE id > 20});
	settles("both are others, $on_delete", { PUT => 1, ($on_delete eq 'archive' ? (POST => 1) : ()) });
	is(here() . ' / ' . names() . issues(), 'Bob Cid Yan Zoe / ' . ($on_delete eq 'archive' ? 'Ann-' : 'Ann') . ' Bob Cid Yan Zoe', '... and who was deleted is');
}

# What a paused run has left to create, and is ambiguous by the next one
foreach my $rows (1, 2)
{
	my $case = "$rows rows for " . (3 - $rows);
	$crm->clear;
	$crm->create('crm', match_on => ['email']);
	$crm->local_has({ name => 'Ann', email => 'two@example.com' });
	$crm->rows(q{SET xero_fdw.max_wait = '100ms'});
	$sandbox->faults({ path => '/api.xro/2.0/Contacts', method => 'PUT', problem => 'day', retry_after => 300, times => 1 });
	is($crm->run('crm')->{state}, 'paused', "$case: a run that is paused");
	$sandbox->faults;
	$crm->superuser->rows(q{SELECT xero_fdw.clear_block('xero')});
	$crm->xero_has(map { { Name => $_, EmailAddress => 'two@example.com', UpdatedDateUTC => $crm->xero_time(0) } } qw(Bob Cid)[0 .. 2 - $rows]);
	$crm->local_has({ name => 'Dan', email => 'two@example.com' }) if $rows == 2;
	is($crm->rows(q{SELECT string_agg(action, ' ' ORDER BY action) FROM xero_fdw.plan_sync('crm')}), 'issue issue issue total', "$case: the plan");
	settles($case);
	is(issues(), join(' ', map({ "ambiguous[$_]" } 1 .. $rows), ('ambiguous') x (3 - $rows)), '... wait');
	$crm->rows(q{UPDATE crm.contacts SET email = 'one@example.com' WHERE name = 'Ann'});
	settles("$case, one of which is another", { PUT => 1, ($rows == 2 ? (POST => 1) : ()) });
	is(names(), $rows == 1 ? 'Ann Bob Cid' : 'Ann Dan', '... is made');
}

# What both sides had agreed on holds when one of two turns out to be the row.
$crm->clear;
$crm->xero_has({ Name => 'Ann', EmailAddress => 'ann@example.com', CompanyNumber => 'old' });
$crm->local_has({ name => 'Ann', email => 'ann@example.com', account => 'old' });
$crm->create('crm', match_on => ['email'], conflict => 'xero');
$crm->runs('one');
$crm->rows(q{BEGIN; DELETE FROM crm.contacts; INSERT INTO crm.contacts (id, name, email, account) VALUES (11, 'Ann', 'ann@example.com', 'new'), (12, 'Anna', 'ann@example.com', NULL); COMMIT});
$crm->runs('... comes back edited, beside another one');
$crm->rows(q{UPDATE crm.contacts SET email = 'anna@example.com' WHERE id = 12});
settles('... who gets an address of her own', { PUT => 1, POST => 1 });
is($crm->rows('SELECT account FROM crm.contacts WHERE id = 11') . ' ' . contact('Ann')->{CompanyNumber}, 'new new', '... the edit goes to Xero');

# Keys that are exchanged by one statement, with edits in it or before
foreach my $sql ("UPDATE crm.shifted SET id = 3 - id, email = 'k' || email", "UPDATE crm.shifted SET email = 'k' || email; UPDATE crm.shifted SET id = 3 - id",
	"UPDATE crm.shifted SET id = id + 1, email = 'k' || email", "BEGIN; UPDATE crm.shifted SET email = 'k' || email; INSERT INTO crm.shifted (id, name) VALUES (3, 'Cid'); UPDATE crm.shifted SET id = 4 - id; COMMIT")
{
	$crm->clear;
	$crm->rows("DROP TABLE IF EXISTS crm.shifted; CREATE TABLE crm.shifted (id serial, $COLUMNS, PRIMARY KEY (id) DEFERRABLE);
		INSERT INTO crm.shifted (id, name, email) VALUES (1, 'Ann', 'ann\@example.com'), (2, 'Bob', 'bob\@example.com')");
	$crm->create('crm', local_table => 'crm.shifted', match_on => ['name']);
	$crm->runs('two', { PUT => 1 });
	$crm->rows($sql);
	settles($sql, { POST => 1, ($sql =~ /Cid/ ? (PUT => 1) : ()) });
	is(join(' ', map { contact($_)->{EmailAddress} } qw(Ann Bob)), 'kann@example.com kbob@example.com', '... no edit is lost');
}

$crm->quit;
done_testing();
