# Who a row is: not what key it has, but which record it names, or what it is
# matched by.  Keys are deleted and inserted again, shifted and swapped, ids are set
# to records of others, and nobody becomes another one in Xero.
use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSession;
use XeroSync;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--contacts', 0, '--invoices', 0, '--strict', '--no-limits' ],
	server => { minute_limit => 1000000, day_limit => 1000000 });
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $crm = XeroSync->new($xero);

my %WITH_ID = %{ XeroSync::fields() };
my %NO_ID = %WITH_ID;
delete $NO_ID{xero_id};

sub contact { my ($name) = @_; return (grep { $_->{Name} eq $name } values %{ $crm->xero })[0] // {}; }
sub id_of { my ($name) = @_; return lc(contact($name)->{ContactID} // 'nobody'); }
sub names { return join(' ', sort map { $_->{Name} . ($_->{ContactStatus} eq 'ACTIVE' ? '' : '-') } values %{ $crm->xero }); }
sub rows_here { return $crm->rows(q{SELECT string_agg(id || ' ' || name, ', ' ORDER BY id) FROM crm.contacts}); }
sub issues { return $crm->rows(q{SELECT string_agg(kind || ' ' || coalesce(local_key->>0, '-'), ', ' ORDER BY local_key) FROM xero_fdw.sync_issues}); }

# Ann, Bob and Cid on both sides, with keys 1 to 3.
sub three
{
	my (%option) = @_;
	$crm->clear;
	$crm->local_has(map { { name => $_, email => lc($_) . '@example.com' } } qw(Ann Bob Cid));
	$crm->create('crm', %option);
	$crm->runs('three', { PUT => 1 });
	return;
}

# Key 1 comes back with another person: in one transaction, in two, and with a run
# in between.  Ann is Ann or ends; Zoe is new.
foreach my $direction ('both', 'push')
{
	foreach my $delete ('archive', 'ignore')
	{
		next if $direction eq 'push' && $delete eq 'ignore';
		foreach my $id ('id', 'no id')
		{
			foreach my $match ('match_on', 'no match_on')
			{
				next if $id eq 'no id' && $match eq 'no match_on';
				next if ($direction eq 'push' || $delete eq 'ignore') && "$id$match" ne 'idmatch_on';
				foreach my $how ('one transaction', 'two', 'a run between')
				{
					my $case = "$direction, $delete, $id, $match, $how";
					three(direction => $direction, on_delete => $delete, fields => $id eq 'id' ? \%WITH_ID : \%NO_ID,
						$match eq 'match_on' ? (match_on => ['name']) : ());
					my ($ann, $end) = (id_of('Ann'), $delete eq 'archive' ? { POST => 1 } : {});
					my ($gone, $comes) = ('DELETE FROM crm.contacts WHERE id = 1', q{INSERT INTO crm.contacts (id, name, email) VALUES (1, 'Zoe', 'zoe@example.com')});
					if ($how eq 'one transaction') { $crm->rows("BEGIN; $gone; $comes; COMMIT"); }
					else
					{
						$crm->rows($gone);
						$crm->runs("$case: a deletion", $end) if $how eq 'a run between';
						$crm->rows($comes);
					}
					$crm->runs($case, { PUT => 1, $how eq 'a run between' ? () : %$end });
					is(names(), $delete eq 'archive' ? 'Ann- Bob Cid Zoe' : 'Ann Bob Cid Zoe', "$case: nobody has become another one");
					is(id_of('Ann'), $ann, "$case: ... Ann least of all");
					is(contact('Zoe')->{EmailAddress}, 'zoe@example.com', "$case: ... and Zoe is there");
					is(rows_here(), '1 Zoe, 2 Bob, 3 Cid', "$case: ... and here");
					is(issues(), '', "$case: no issues");
					$crm->quiet($case);
					$crm->rows(q{UPDATE crm.contacts SET email = 'new@example.com' WHERE id = 1});
					$crm->runs("$case: an edit", { POST => 1 });
					is(contact('Zoe')->{EmailAddress} . contact('Ann')->{EmailAddress}, 'new@example.comann@example.com', "$case: an edit is hers");
				}
			}
		}
	}
}

# With neither, the key is all there is.
three(direction => 'push', fields => \%NO_ID, on_delete => 'archive');
$crm->rows(q{BEGIN; DELETE FROM crm.contacts WHERE id = 1; INSERT INTO crm.contacts (id, name, email) VALUES (1, 'Anna', 'anna@example.com'); COMMIT});
$crm->runs('nothing but keys', { POST => 1 });
is(names(), 'Anna Bob Cid', '... the key is who it is');
$crm->rows('DELETE FROM crm.contacts WHERE id = 1');
$crm->runs('... a deletion', { POST => 1 });
$crm->rows(q{INSERT INTO crm.contacts (id, name) VALUES (1, 'Zoe')});
$crm->runs('... and then another one', { PUT => 1 });
is(names(), 'Anna- Bob Cid Zoe', '... is another one');

# The same persons, loaded anew: with their keys or with others, with ids or
# without, in whatever order, nothing is written and nobody ends.
foreach my $delete ('ignore', 'archive')
{
	foreach my $load ('the same keys', 'other keys', 'shifted keys', 'in two transactions', 'with ids', 'with ids and other keys', 'the new ones first', 'out of scope')
	{
		next if $delete eq 'ignore' && $load !~ /^(?:shifted keys|out of scope)$/;
		my $case = "$delete, loaded anew, $load";
		three(match_on => ['name'], on_delete => $delete, local_filter => q{coalesce(account, '') <> 'out'});
		my $before = $crm->xero;
		my %into = (
			'the same keys' => 'id, name, email) SELECT id, name, email',
			'other keys' => 'id, name, email) SELECT id + 100, name, email',
			'shifted keys' => 'id, name, email) SELECT id % 3 + 1, name, email',
			'in two transactions' => 'id, name, email) SELECT id, name, email',
			'with ids' => 'id, xero_id, name, email) SELECT id, xero_id, name, email',
			'with ids and other keys' => 'id, xero_id, name, email) SELECT id + 100, xero_id, name, email',
			'the new ones first' => 'id, name, email) SELECT id + 100, name, email',
			'out of scope' => q{id, name, email, account) SELECT id, name, email, 'out'});
		my $insert = "INSERT INTO crm.contacts ($into{$load} FROM kept;";
		my $remove = 'DELETE FROM crm.contacts WHERE id IN (SELECT id FROM kept);';
		$crm->rows("CREATE TEMP TABLE kept AS TABLE crm.contacts");
		$crm->rows($load eq 'the new ones first' ? "BEGIN; $insert $remove COMMIT" : $load eq 'in two transactions' ? "$remove; $insert" : "BEGIN; $remove $insert COMMIT");
		$crm->rows('DROP TABLE kept');
		$crm->runs($case);
		is_deeply($crm->xero, $before, "$case: Xero is as it was");
		is(issues(), '', "$case: no issues");
		if ($load ne 'out of scope')
		{
			is_deeply([ $crm->differences, $crm->doubles ], [], "$case: both sides are equal, with ids and what comes from Xero alone");
			is($crm->rows('SELECT count(*) FROM crm.contacts'), 3, "$case: ... and nobody came from Xero");
		}
		$crm->quiet($case);
		$crm->rows(q{UPDATE crm.contacts SET email = 'b@example.com', account = NULL WHERE name = 'Bob'});
		$crm->xero_sets(id_of('Cid'), { EmailAddress => 'c@example.com' });
		$crm->runs("$case: edits", { POST => 1 });
		is($crm->rows(q{SELECT email FROM crm.contacts WHERE name = 'Cid'}) . contact('Bob')->{EmailAddress}, 'c@example.comb@example.com', "$case: edits go both ways");
	}
}

# ... with edits on both sides that nobody has seen yet
three(match_on => ['name'], on_delete => 'archive');
$crm->xero_sets(id_of('Ann'), { FirstName => 'Annette' });
$crm->rows(q{BEGIN; DELETE FROM crm.contacts; INSERT INTO crm.contacts (name, email) VALUES ('Ann', 'new@example.com'), ('Bob', 'bob@example.com'), ('Zoe', 'zoe@example.com'); COMMIT});
$crm->runs('loaded anew, with edits', { POST => 2, PUT => 1 });
is(names(), 'Ann Bob Cid- Zoe', '... one ends, one is new');
is(contact('Ann')->{EmailAddress} . $crm->rows(q{SELECT first FROM crm.contacts WHERE name = 'Ann'}), 'new@example.comAnnette', '... and edits of both sides arrive');

# ... after a run that has seen them gone; with on_delete ignore they are who they were
three(match_on => ['name']);
$crm->rows('CREATE TEMP TABLE kept AS TABLE crm.contacts; DELETE FROM crm.contacts');
$crm->runs('all are deleted');
$crm->rows(q{INSERT INTO crm.contacts (id, name, email) SELECT id + 10, name, email FROM kept; UPDATE crm.contacts SET account = 'x' WHERE name = 'Ann'; DROP TABLE kept});
$crm->runs('... and loaded again', { POST => 1 });
is(names() . issues(), 'Ann Bob Cid', '... nobody is there twice');
is_deeply([ $crm->differences, $crm->doubles ], [], '... and both sides are equal');

# ... where several are matched by the same: those who have their keys are who they were
$crm->clear;
$crm->local_has(map { { name => $_, surname => 'Smith' } } qw(Ann Bob Cid));
$crm->create('crm', match_on => ['surname'], on_delete => 'archive');
$crm->runs('three Smiths', { PUT => 1 });
my $smiths = $crm->xero;
$crm->rows(q{BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE crm.contacts; DELETE FROM crm.contacts; INSERT INTO crm.contacts (id, name, surname) SELECT id, name, surname FROM kept; COMMIT});
$crm->runs('three Smiths, loaded anew');
is_deeply($crm->xero, $smiths, '... Xero is as it was');
$crm->rows(q{BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE crm.contacts; DELETE FROM crm.contacts;
	INSERT INTO crm.contacts (id, name, surname) SELECT id, name, surname FROM kept WHERE id < 3 UNION ALL SELECT 9, 'Dan', 'Smith'; COMMIT});
$crm->runs('three Smiths, one with another key', { POST => 1 });
is(names(), 'Ann Bob Dan', '... the one who is left is that one');

# Where the run has been killed by its budget before it could end anybody
three(match_on => ['name'], on_delete => 'archive');
$crm->rows(q{CREATE TEMP TABLE kept AS TABLE crm.contacts; DELETE FROM crm.contacts WHERE id < 3; SET xero_fdw.max_wait = '5s'});
$sandbox->faults({ path => '/api.xro/2.0/Contacts', method => 'POST', drop => 'before', times => 20 });
is($crm->run('crm')->{state}, 'paused', 'ends that do not get through');
$sandbox->faults;
$crm->rows('INSERT INTO crm.contacts (id, name, email) SELECT id + 10, name, email FROM kept WHERE id < 3; DROP TABLE kept');
$crm->runs('... and the rows are back');
is(names(), 'Ann Bob Cid', '... nobody ends');
is_deeply([ $crm->differences, $crm->doubles ], [], '... and both sides are equal');

# A create of which the answer was lost, and another person with that key
foreach my $how ('DELETE FROM', 'TRUNCATE')
{
	three(match_on => ['name'], on_delete => 'archive');
	$crm->rows(q{INSERT INTO crm.contacts (id, name) VALUES (4, 'Dan'); SET xero_fdw.max_wait = '5s'});
	$sandbox->faults({ path => '/api.xro/2.0/Contacts', method => 'PUT', drop => 'after', times => 20 });
	is($crm->run('crm')->{state}, 'paused', "$how: a create whose answer is lost");
	$sandbox->faults;
	$crm->rows("BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE crm.contacts; $how crm.contacts;
		INSERT INTO crm.contacts SELECT * FROM kept WHERE id < 4; INSERT INTO crm.contacts (id, name) VALUES (4, 'Zoe'); COMMIT");
	my $run = $crm->run('crm');
	is($run->{state}, 'done', '... and another person with that key') or diag($run->{text});
	is(names(), $how eq 'TRUNCATE' ? 'Ann Bob Cid Dan Zoe' : 'Ann Bob Cid Dan- Zoe', '... is another one');
}

# A partition that is emptied and filled with others under the same keys
$crm->clear;
$crm->rows(q{CREATE TABLE crm.parted (id integer GENERATED BY DEFAULT AS IDENTITY, xero_id uuid, name text, email text, account text, first text, surname text, status text, year integer DEFAULT 2026, PRIMARY KEY (id, year)) PARTITION BY LIST (year);
	CREATE TABLE crm.p2025 PARTITION OF crm.parted FOR VALUES IN (2025);
	CREATE TABLE crm.p2026 PARTITION OF crm.parted FOR VALUES IN (2026);
	INSERT INTO crm.parted (id, name, year) VALUES (1, 'Ann', 2025), (2, 'Bob', 2025), (3, 'Cid', 2026)});
$crm->create('crm', local_table => 'crm.parted', match_on => ['name'], on_delete => 'archive');
$crm->runs('partitions', { PUT => 1 });
$crm->rows(q{BEGIN; TRUNCATE crm.p2025; INSERT INTO crm.parted (id, name, year) VALUES (1, 'Bob', 2025), (2, 'Zoe', 2025); COMMIT});
$crm->runs('a partition that is filled with others', { PUT => 1 });
is(names(), 'Ann Bob Cid Zoe', '... nobody has become another one, or has ended');
is($crm->rows(q{SELECT kind || xero_id || local_key FROM xero_fdw.sync_issues}), 'missing' . id_of('Ann') . '[1, 2025]', '... Ann is missing');
is($crm->rows(q{SELECT xero_id FROM crm.parted WHERE name = 'Bob'}), id_of('Bob'), '... Bob has come back, with another key');
$crm->quiet('a partition that is filled with others');
$crm->rows(q{INSERT INTO crm.parted (id, name, year) VALUES (7, 'Ann', 2026)});
$crm->runs('... and then Ann');
is(issues() . names(), 'Ann Bob Cid Zoe', '... is back');
is_deeply([ $crm->differences('crm.parted') ], [], '... and both sides are equal');
$crm->rows(q{BEGIN; TRUNCATE crm.p2026; COMMIT; UPDATE crm.parted SET year = 2026 WHERE name = 'Zoe'});
$crm->runs('a row that moves to the partition that was emptied');
is($crm->rows(q{SELECT string_agg(kind, ' ') FROM xero_fdw.sync_issues}) . ' ' . names(), 'missing missing Ann Bob Cid Zoe', '... stays who it is');
$crm->rows(q{SELECT xero_fdw.drop_sync('crm'); DROP TABLE crm.parted});

# Keys that change keep their rows: chains and swaps, in one statement and in
# several, with deletions and insertions in between.
foreach my $match ('match_on', 'no match_on')
{
	my %steps = (
		'a chain' => [ 'ALTER TABLE crm.contacts DROP CONSTRAINT contacts_pkey, ADD PRIMARY KEY (id) DEFERRABLE; UPDATE crm.contacts SET id = id + 1', '2 Ann, 3 Bob, 4 Cid' ],
		'a swap' => [ 'ALTER TABLE crm.contacts DROP CONSTRAINT contacts_pkey, ADD PRIMARY KEY (id) DEFERRABLE; UPDATE crm.contacts SET id = 3 - id WHERE id < 3', '1 Bob, 2 Ann, 3 Cid' ],
		'a swap by a third' => [ 'UPDATE crm.contacts SET id = 9 WHERE id = 1; UPDATE crm.contacts SET id = 1 WHERE id = 2; UPDATE crm.contacts SET id = 2 WHERE id = 9', '1 Bob, 2 Ann, 3 Cid' ],
		'there and back' => [ 'UPDATE crm.contacts SET id = 9 WHERE id = 1; UPDATE crm.contacts SET id = 1 WHERE id = 9', '1 Ann, 2 Bob, 3 Cid' ],
		'a new one in the place of one that moved' => [ q{UPDATE crm.contacts SET id = 9 WHERE id = 1; INSERT INTO crm.contacts (id, name) VALUES (1, 'Zoe')}, '1 Zoe, 2 Bob, 3 Cid, 9 Ann', 1, 0 ],
		'one that moves to where one was deleted' => [ 'DELETE FROM crm.contacts WHERE id = 2; UPDATE crm.contacts SET id = 2 WHERE id = 1', '2 Ann, 3 Cid', 0, 1 ],
		'one that moves to where one was that Xero never had' => [ q{INSERT INTO crm.contacts (id, name) VALUES (7, 'Zoe'); DELETE FROM crm.contacts WHERE id = 7; UPDATE crm.contacts SET id = 7 WHERE id = 1}, '2 Bob, 3 Cid, 7 Ann' ],
		'a new one that moves on' => [ q{DELETE FROM crm.contacts WHERE id = 1; INSERT INTO crm.contacts (id, name) VALUES (1, 'Zoe'); UPDATE crm.contacts SET id = 8 WHERE id = 1; INSERT INTO crm.contacts (id, name) VALUES (1, 'Yan')}, '1 Yan, 2 Bob, 3 Cid, 8 Zoe', 1, 1 ],
		'all of that' => [ q{UPDATE crm.contacts SET id = 9 WHERE id = 1; DELETE FROM crm.contacts WHERE id = 9; INSERT INTO crm.contacts (id, name) VALUES (9, 'Zoe'); UPDATE crm.contacts SET id = 1 WHERE id = 2; UPDATE crm.contacts SET id = 2 WHERE id = 9}, '1 Bob, 2 Zoe, 3 Cid', 1, 1 ]);
	foreach my $step (sort keys %steps)
	{
		next if $match eq 'no match_on' && $step !~ /^(?:a chain|all of that|a new one that moves on)$/;
		my ($sql, $rows, $new, $ends) = @{ $steps{$step} };
		three($match eq 'match_on' ? (match_on => ['name']) : (), on_delete => 'archive');
		$crm->rows("BEGIN; $sql; COMMIT");
		$crm->runs("$match, $step", { $new ? (PUT => 1) : (), $ends ? (POST => 1) : () });
		is(rows_here(), $rows, "$match, $step: the rows");
		is_deeply([ map { s/^\S+ //r } sort map { "$_->{id} $_->{name}" } grep { lc($_->{xero_id} // '') ne id_of($_->{name}) } values %{ $crm->local } ], [], "$match, $step: each row has its record");
		is(scalar(grep { $_->{ContactStatus} ne 'ACTIVE' } values %{ $crm->xero }), $ends // 0, "$match, $step: only who was deleted ends");
		is(issues(), '', "$match, $step: no issues");
		$crm->quiet("$match, $step");
	}
	$crm->rows('ALTER TABLE crm.contacts DROP CONSTRAINT contacts_pkey, ADD PRIMARY KEY (id)');
}

# The key of a row that was deleted goes to another one; a sync that only pulls does
# not look at rows.
$crm->clear;
my ($pulled) = $crm->xero_has({ Name => 'Ann' });
$crm->create('crm', direction => 'pull', match_on => ['name'], on_delete => 'archive');
$crm->run('crm');
$crm->rows(q{INSERT INTO crm.contacts (id, name) VALUES (7, 'Zoe')});
$crm->run('crm');
$crm->rows(q{DELETE FROM crm.contacts WHERE id = 7; UPDATE crm.contacts SET id = 7 WHERE name = 'Ann'});
$crm->xero_sets($pulled, { EmailAddress => 'new@example.com' });
$crm->run('crm');
is($crm->rows('SELECT id, name, email FROM crm.contacts'), '7|Ann|new@example.com', 'pull, the key of a row that was deleted: what comes from Xero comes');

# Of two rows that are loaded with one name, the one that names the record is its row.
three(match_on => ['name'], on_delete => 'archive');
my $anns = id_of('Ann');
$crm->rows("BEGIN; TRUNCATE crm.contacts; INSERT INTO crm.contacts (id, xero_id, name, email) VALUES (1, NULL, 'Ann', 'ann\@example.com'), (2, NULL, 'Bob', 'bob\@example.com'),
	(3, NULL, 'Cid', 'cid\@example.com'), (4, '$anns', 'Ann', 'ann\@example.com'); COMMIT");
$crm->run('crm');
is($crm->rows(qq{SELECT string_agg(id::text, ' ') FROM crm.contacts WHERE xero_id = '$anns'}), '4', 'namesakes that are loaded: one is the row of the record');
is($crm->rows(q{SELECT string_agg(kind || local_key::text, ' ') FROM xero_fdw.sync_issues}), 'validation[1]', '... and the other one an issue, as its name is taken');
is(scalar(grep { $_->{ContactStatus} ne 'ACTIVE' } values %{ $crm->xero }), 0, '... nobody ends');

# What is spelled otherwise and equal is the same: numbers, capitals beyond ASCII (the
# locale here is C), and letters with accents.
$crm->rows('ALTER TABLE crm.contacts ADD n numeric');
my %numbered = (%WITH_ID, n => { xero => 'account_number', to_local => 'xero.account_number::numeric', to_xero => 'local.n::text' });
$crm->clear;
$crm->xero_has({ Name => 'Amt', AccountNumber => '33.25' });
$crm->rows(q{INSERT INTO crm.contacts (id, name, n) VALUES (1, 'Amt', 33.250)});
$crm->create('crm', fields => \%numbered, match_on => [ 'name', 'n' ], on_delete => 'archive');
$crm->run('crm');
is($crm->rows('SELECT id, xero_id IS NOT NULL FROM crm.contacts'), '1|t', 'numbers are matched by value');
foreach my $how ('DELETE FROM', 'TRUNCATE')
{
	$crm->rows("BEGIN; $how crm.contacts; INSERT INTO crm.contacts (id, name, n) VALUES (2, 'Amt', 33.2500); COMMIT");
	$crm->run('crm');
	is($crm->rows('SELECT id, xero_id IS NOT NULL FROM crm.contacts'), '2|t', "... after $how");
	is(names(), 'Amt', '... it is who it was');
}
$crm->clear;
$crm->xero_has({ Name => "M\x{fc}ller" }, { Name => "Caf\x{e9}" });
$crm->rows(q{INSERT INTO crm.contacts (id, name) VALUES (1, U&'M\00DCLLER'), (2, U&'Cafe\0301')});
$crm->create('crm', match_on => ['name']);
$crm->run('crm');
is($crm->rows('SELECT count(*), count(xero_id) FROM crm.contacts'), '2|2', 'names are matched without case, however they are composed');
is(issues(), '', '... and nothing is in the way');
$crm->rows('SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs; ALTER TABLE crm.contacts DROP n');

# Two namesakes are deleted, one of which has never had a record: that of the other ends.
three(match_on => ['name'], on_delete => 'archive');
$crm->rows(q{INSERT INTO crm.contacts (id, name) VALUES (9, 'Ann')});
$crm->run('crm');
is(issues(), 'validation 9', 'a namesake is an issue');
$crm->rows('DELETE FROM crm.contacts WHERE id IN (1, 9)');
$crm->run('crm');
is(names() . issues(), 'Ann- Bob Cid', '... and when both are deleted, the record ends, and nothing is left to tell');

# The id of a row is set to another record's: nothing flows until it agrees again.
sub stands_still
{
	my ($case, $ids, $wrong) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is($crm->rows(q{SELECT string_agg(local_key->>0, ' ' ORDER BY local_key) FROM xero_fdw.plan_sync('crm') WHERE action = 'issue'}), $wrong, "$case: a plan shows it");
	$crm->runs($case);
	is($crm->rows(q{SELECT string_agg(local_key->>0, ' ' ORDER BY local_key) FROM xero_fdw.sync_issues WHERE kind = 'ambiguous'}), $wrong, "$case: is an issue of these rows");
	is($crm->rows('SELECT string_agg(xero_id::text, \' \' ORDER BY id) FROM crm.contacts'), $ids, "$case: ... whose ids are left as they are");
	$crm->quiet($case);
	return;
}
sub ids { return $crm->rows(q{SELECT string_agg(xero_id::text, ' ' ORDER BY id) FROM crm.contacts}); }
foreach my $direction ('push', 'both')
{
	three(direction => $direction, match_on => ['name'], on_delete => 'archive');
	my ($ann, $bob, $cid) = map { id_of($_) } qw(Ann Bob Cid);
	my $unknown = '11111111-2222-4333-8444-555555555555';
	my %wrong = (
		'ids that are swapped' => [ "UPDATE crm.contacts SET xero_id = CASE id WHEN 1 THEN '$bob'::uuid ELSE '$ann' END WHERE id < 3", "$bob $ann $cid", '1 2' ],
		'the id of another row' => [ "UPDATE crm.contacts SET xero_id = '$bob' WHERE id = 1", "$bob $bob $cid", '1' ],
		'an id that nobody knows' => [ "UPDATE crm.contacts SET xero_id = '$unknown' WHERE id = 1", "$unknown $bob $cid", '1' ]);
	foreach my $case (sort keys %wrong)
	{
		my ($sql, $ids, $rows) = @{ $wrong{$case} };
		$crm->rows($sql);
		stands_still("$direction, $case", $ids, $rows);
		like($crm->rows(q{SELECT message FROM xero_fdw.sync_issues WHERE local_key = '[1]'}), qr/^the row belongs to record $ann, and names record (?:$bob|$unknown)$/, "$direction, $case: the message says which");
		$crm->rows(q{UPDATE crm.contacts SET email = 'mine@example.com' WHERE id = 1});
		$crm->xero_sets($ann, { FirstName => 'Annette' });
		$crm->runs("$direction, $case: edits of both sides");
		is($crm->rows('SELECT coalesce(first, \'\') FROM crm.contacts WHERE id = 1') . contact('Ann')->{EmailAddress}, 'ann@example.com', "$direction, $case: do not flow");
		$crm->rows("UPDATE crm.contacts SET xero_id = CASE id WHEN 1 THEN '$ann'::uuid ELSE '$bob' END WHERE id < 3");
		$crm->runs("$direction, $case: it agrees again", { POST => 1 });
		is(issues(), '', "$direction, $case: ... and the issues have ended");
		is(contact('Ann')->{EmailAddress} . ($direction eq 'both' ? row_first() : 'Annette'), 'mine@example.comAnnette', "$direction, $case: ... and the edits arrive");
		$crm->rows(q{UPDATE crm.contacts SET email = 'ann@example.com', first = NULL WHERE id = 1});
		$crm->runs("$direction, $case: as before", { POST => 1 });
	}
	$crm->rows('UPDATE crm.contacts SET xero_id = NULL WHERE id = 1');
	$crm->runs("$direction, an empty id");
	is(ids(), "$ann $bob $cid", "$direction, an empty id: is filled");
	$crm->rows("UPDATE crm.contacts SET xero_id = '$bob' WHERE id = 1; DELETE FROM crm.contacts WHERE id = 1");
	$crm->runs("$direction, a row that names another one, and is deleted", { POST => 1 });
	is(names(), 'Ann- Bob Cid', "$direction: ... ends its own record");
}
sub row_first { return $crm->rows('SELECT first FROM crm.contacts WHERE id = 1'); }

# A new row that names one record, and is matched by what another one says
foreach my $direction ('both', 'pull')
{
	$crm->clear;
	$crm->xero_has(map { { Name => $_ } } qw(Ann Bob Cid Dan));
	my ($ann, $bob, $cid, $dan) = map { id_of($_) } qw(Ann Bob Cid Dan);
	$crm->rows("INSERT INTO crm.contacts (name, xero_id) VALUES ('Ann', '$bob'), ('Bob', '$ann'), ('Charles', '$cid'), ('dan', '$dan')");
	$crm->create('crm', direction => $direction, match_on => ['name']);
	$crm->runs("$direction, rows that name records of others");
	is($crm->rows(q{SELECT string_agg(local_key->>0, ' ' ORDER BY local_key) FROM xero_fdw.sync_issues WHERE kind = 'ambiguous' AND local_key IS NOT NULL}), '1 2', "$direction: ... are issues");
	is($crm->rows(q{SELECT message FROM xero_fdw.sync_issues WHERE local_key = '[1]'}), "the row names record $bob, and its values of match_on are another record's", "$direction: ... that say so");
	is(rows_here(), '1 Ann, 2 Bob, 3 Cid, 4 Dan', "$direction: ... nothing comes of them, and others are joined by what they name");
	is(names(), 'Ann Bob Cid Dan', "$direction: ... in Xero as well");
	$crm->quiet("$direction, rows that name records of others");
	$crm->rows("UPDATE crm.contacts SET xero_id = CASE id WHEN 1 THEN '$ann'::uuid ELSE '$bob' END WHERE id < 3");
	$crm->runs("$direction, rows that name their own");
	is(issues(), '', "$direction: ... are no issues");
	is_deeply([ $crm->differences, $crm->doubles ], [], "$direction: ... and both sides are equal");
}

# The id of a record of another organisation
$crm->clear(tenants => 2);
$crm->reconnect;
my @tenants = split(/\n/, $crm->superuser->rows('SELECT tenant_id FROM xero.organisation ORDER BY 1'));
foreach my $n (0, 1)
{
	$sandbox->data(object => 'Contacts', tenant_id => $tenants[$n], records => [ map { { Name => "$_ $n", ContactStatus => 'ACTIVE', UpdatedDateUTC => '/Date(1700000000000+0000)/' } } qw(Ann Bob) ]);
}
$crm->rows('ALTER TABLE crm.contacts ADD COLUMN org uuid');
$crm->create('crm', match_on => ['name'], fields => { %WITH_ID, org => 'tenant_id' });
$crm->runs('two organisations');
$crm->rows(q{UPDATE crm.contacts SET xero_id = (SELECT xero_id FROM crm.contacts WHERE name = 'Ann 1'), email = 'a@example.com' WHERE name = 'Ann 0'});
$crm->runs('the id of another organisation\'s record');
is($crm->rows(q{SELECT kind, count(*) FROM xero_fdw.sync_issues GROUP BY 1}), 'ambiguous|1', '... is an issue');
$crm->rows(q{INSERT INTO crm.contacts (name, xero_id, org) SELECT 'Cid 0', xero_id, (SELECT org FROM crm.contacts WHERE name = 'Bob 0') FROM crm.contacts WHERE name = 'Bob 1'});
$crm->runs('a new row of one organisation with the id of another\'s record');
is($crm->rows(q{SELECT kind, count(*) FROM xero_fdw.sync_issues GROUP BY 1}), 'ambiguous|2', '... is an issue');
# A row of one organisation that is moved to another
$crm->rows("UPDATE crm.contacts SET org = '$tenants[1]', email = 'moved\@example.com' WHERE name = 'Bob 0'");
$crm->runs('a row that is moved to another organisation') foreach 1, 2;
is($crm->rows(q{SELECT message FROM xero_fdw.sync_issues WHERE message LIKE '%organisation%'}),
	"the row belongs to a record of organisation $tenants[0], and names organisation $tenants[1]", '... is an issue');
$crm->rows("UPDATE crm.contacts SET org = '$tenants[0]' WHERE name = 'Bob 0'");
$crm->runs('... that ends when it is back', { POST => 1 });
is($crm->rows(q{SELECT kind, count(*) FROM xero_fdw.sync_issues GROUP BY 1}), 'ambiguous|2', '... and is none any more');
$crm->rows('SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs; ALTER TABLE crm.contacts DROP COLUMN org');
$crm->clear(tenants => 1);
$crm->reconnect;

# A key whose column gets another name is the same; a column that takes its name is not.
three(match_on => ['name'], on_delete => 'archive');
my $linked = q{SELECT count(*) FROM xero_fdw.sync_link WHERE state = 'linked'};
$crm->rows('ALTER TABLE crm.contacts RENAME COLUMN id TO nr');
is($crm->run('crm')->{sqlstate_of_call}, '55000', 'a key that has another name: a run says so');
$crm->rows(q{UPDATE crm.contacts SET email = 'b@example.com' WHERE name = 'Bob'; SELECT xero_fdw.alter_sync('crm')});
is($crm->superuser->rows($linked), 3, '... alter_sync() takes it as it is, and forgets nobody');
$crm->runs('a key that has another name', { POST => 1 });
is(contact('Bob')->{EmailAddress} . names(), 'b@example.comAnn Bob Cid', '... an edit of meanwhile arrives');
$crm->rows(q{BEGIN; UPDATE crm.contacts SET nr = 7 WHERE name = 'Ann'; DELETE FROM crm.contacts WHERE nr = 2; INSERT INTO crm.contacts (nr, name) VALUES (2, 'Zoe'); COMMIT});
$crm->runs('... and goes on', { PUT => 1, POST => 1 });
is(names(), 'Ann Bob- Cid Zoe', '... as before');
$crm->rows(q{ALTER TABLE crm.contacts RENAME COLUMN nr TO id; ALTER TABLE crm.contacts ALTER COLUMN id TYPE text; SELECT xero_fdw.alter_sync('crm')});
$crm->runs('the old name, and another type');
is($crm->superuser->rows($linked), 3, '... forgets nobody');
$crm->quiet('the old name, and another type');
$crm->rows('ALTER TABLE crm.contacts DROP COLUMN id; ALTER TABLE crm.contacts ADD COLUMN id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY');
my $other = $crm->run('crm');
is($other->{sqlstate_of_call}, '55000', 'another column of that name: a run says so');
like($other->{text}, qr/Column "id" of table crm.contacts was dropped or renamed, and another one has its name/, '... that it is another one');
like($crm->session->try(q{SELECT xero_fdw.alter_sync('crm')})->{text}, qr/forgets which records belong to 3 rows/, '... alter_sync() forgets who is who');
$crm->runs('another column of that name');
is(names() . issues(), 'Ann Bob- Cid Zoe', '... and all find each other anew');

# So it is with columns that are mapped: what is there says nothing of what was.
three(match_on => ['name']);
foreach my $how ('DROP COLUMN email', 'RENAME COLUMN email TO former')
{
	$crm->rows("ALTER TABLE crm.contacts $how; ALTER TABLE crm.contacts ADD COLUMN email text; UPDATE crm.contacts SET first = 'A' WHERE id = 1");
	my $run = $crm->run('crm');
	is($run->{sqlstate_of_call}, '55000', "$how: a run says so");
	like($run->{text}, qr/Column "email" of table crm.contacts was dropped or renamed, and another one has its name/, '... and names it');
	$crm->rows(q{SELECT xero_fdw.alter_sync('crm')});
	$crm->run('crm');
	is($crm->rows('SELECT string_agg(email, chr(32) ORDER BY id) FROM crm.contacts'), 'ann@example.com bob@example.com cid@example.com', '... alter_sync() takes what Xero has');
	$crm->quiet($how);
}
my $swap = 'ALTER TABLE crm.contacts RENAME account TO x; ALTER TABLE crm.contacts RENAME email TO account; ALTER TABLE crm.contacts RENAME x TO email';
$crm->rows($swap);
is($crm->run('crm')->{sqlstate_of_call}, '55000', 'columns that swap their names: a run says so');
$crm->rows($swap);
$crm->quiet('columns that have their names again');
# a table that a dump has carried elsewhere
$crm->superuser->rows(q{UPDATE xero_fdw.sync SET columns = jsonb_set(jsonb_set(columns, '{local,relation}', '1'), '{local,numbers,email}', '99')});
$crm->quiet('another table with other numbers');
$crm->rows($swap);
is($crm->run('crm')->{sqlstate_of_call}, '55000', '... of which these are known by now');
$crm->rows($swap);
$crm->rows('ALTER TABLE crm.contacts DROP COLUMN former, ALTER COLUMN email TYPE text USING upper(email)');
$crm->runs('a column that is rewritten', { POST => 1 });
is(contact('Ann')->{EmailAddress}, 'ANN@EXAMPLE.COM', '... is sent');

# Another table, another server, and back: nobody is renamed, doubled or ended.
$crm->clear;
$crm->rows('CREATE TABLE crm.others (LIKE crm.contacts INCLUDING ALL)');
$crm->local_has(map { { name => $_ } } qw(Ann Bob Cid));
$crm->create('crm', match_on => ['name'], on_delete => 'archive');
$crm->runs('one table', { PUT => 1 });
$crm->rows(q{INSERT INTO crm.others (id, name) VALUES (1, 'Zoe'), (2, 'Ann'); DELETE FROM crm.contacts WHERE id = 3; SELECT xero_fdw.alter_sync('crm', local_table => 'crm.others')});
$crm->runs('another one', { PUT => 1 });
is(names() . issues(), 'Ann Bob Cid Zoe', '... nobody is renamed or has ended');
is_deeply([ $crm->differences('crm.others'), $crm->doubles('crm.others') ], [], '... and both sides are equal');
$crm->rows(q{UPDATE crm.others SET email = 'o@example.com' WHERE id = 1; SELECT xero_fdw.alter_sync('crm', local_table => 'crm.contacts')});
$crm->runs('back again');
is(names() . issues(), 'Ann Bob Cid Zoe', '... nobody is renamed or has ended');
is_deeply([ $crm->differences, $crm->doubles ], [], '... and both sides are equal');
$xero->create_server('second', { minute_limit => 1000000, day_limit => 1000000 });
$crm->superuser->rows('CREATE SCHEMA second; IMPORT FOREIGN SCHEMA accounting LIMIT TO (contacts) FROM SERVER second INTO second;
	GRANT USAGE ON SCHEMA second TO books; GRANT SELECT, INSERT, UPDATE, DELETE ON second.contacts TO books');
foreach my $table ('second.contacts', 'xero.contacts')
{
	$crm->rows("DELETE FROM crm.contacts WHERE name = 'Cid'; SELECT xero_fdw.alter_sync('crm', xero_table => '$table')");
	$crm->runs("to $table");
	is(names() . issues(), 'Ann Bob Cid Zoe', '... nobody is renamed or has ended');
	is_deeply([ $crm->differences, $crm->doubles ], [], '... and both sides are equal');
}
$crm->rows('SELECT xero_fdw.drop_sync(name) FROM xero_fdw.syncs; DROP TABLE crm.others');

# Names that are swapped, by two and by three: the issues say what to do.
three();
$crm->rows(q{UPDATE crm.contacts SET name = CASE id WHEN 1 THEN 'Bob' WHEN 2 THEN 'Ann' ELSE 'Don' END});
$crm->runs('names that are swapped', { POST => 1 });
is(issues(), 'validation 1, validation 2', '... are issues of both');
is($crm->rows(q{SELECT count(*) FROM xero_fdw.sync_issues WHERE message LIKE '%Rows [1], [2] want each other''s values of column "name", which Xero keeps unique. Give one of them another value, %'}), 2, '... that say so');
is(names(), 'Ann Bob Don', '... others go through');
$crm->quiet('names that are swapped');
$crm->rows(q{UPDATE crm.contacts SET name = 'Bob for now' WHERE id = 1});
$crm->runs('one has another name', { POST => 1 });
$crm->runs('... and the other one is renamed', { POST => 1 }) if issues() ne '';
is(issues(), '', '... the issues have ended');
$crm->rows(q{UPDATE crm.contacts SET name = 'Bob' WHERE id = 1});
$crm->runs('... then it gets its own', { POST => 1 });
is(join(' ', map { contact($_)->{EmailAddress} } qw(Ann Bob)), 'bob@example.com ann@example.com', '... and the names are swapped');
$crm->rows(q{UPDATE crm.contacts SET name = CASE id WHEN 1 THEN 'Ann' WHEN 2 THEN 'Don' ELSE 'Bob' END});
$crm->run('crm');
is($crm->rows(q{SELECT count(*) FROM xero_fdw.sync_issues WHERE message LIKE '%Rows % want each other''s values of column "name"%'}), 3, 'three names that go round are such issues, too');

# Xero's own table: a row that the user puts in place of another one is not
# overwritten by what the record of that one says.
$crm->clear;
$crm->xero_has(map { { Name => $_ } } qw(Ann Bob));
$crm->create('crm', direction => 'pull', match_on => ['name'], on_delete => 'archive');
$crm->runs('pull');
my $key = $crm->rows(q{SELECT id FROM crm.contacts WHERE name = 'Ann'});
$crm->rows(qq{BEGIN; DELETE FROM crm.contacts WHERE id = $key; INSERT INTO crm.contacts (id, name) VALUES ($key, 'Zoe'); COMMIT});
$crm->xero_sets(id_of('Ann'), { EmailAddress => 'ann@example.com' });
$crm->runs('pull: another row with that key');
is($crm->rows(qq{SELECT name, email FROM crm.contacts WHERE id = $key}), 'Zoe|', '... is left alone');
is($crm->rows(q{SELECT waiting_changes FROM xero_fdw.syncs}), 0, '... and no change waits for ever');
$crm->rows(qq{BEGIN; DELETE FROM crm.contacts; INSERT INTO crm.contacts (id, name) VALUES (11, 'Zoe'), (12, 'Bob'); COMMIT});
$crm->xero_sets(id_of('Bob'), { EmailAddress => 'bob@example.com' });
$crm->runs('pull: loaded anew');
is($crm->rows(q{SELECT string_agg(id || name || coalesce(email, '') || coalesce(status, ''), ' ' ORDER BY id) FROM crm.contacts}), '11Zoe 12Bobbob@example.comACTIVE', '... with another key, the same goes on');
is($crm->rows(q{SELECT xero_id FROM crm.contacts WHERE id = 12}), id_of('Bob'), '... and has its id again');

# Another key is no edit, which the newer one of two is looked for among; and an edit
# goes along with the key.
foreach my $shift ('UPDATE crm.contacts SET id = 9 WHERE id = 1', 'UPDATE crm.contacts SET id = 8 WHERE id = 1; UPDATE crm.contacts SET id = 9 WHERE id = 8',
	'UPDATE crm.contacts SET id = 9 - id', 'UPDATE crm.contacts SET id = id + 100; UPDATE crm.contacts SET id = id - 99')
{
	foreach my $case ([ 60, 'there' ], [ 10, 'here' ])
	{
		my ($seconds, $wins) = @$case;
		three(match_on => ['name'], conflict => 'newest');
		$crm->rows(q{UPDATE crm.contacts SET email = 'here@example.com' WHERE id = 1});
		$crm->superuser->rows("UPDATE xero_fdw.sync_change SET changed_at = changed_at - interval '$seconds seconds'");
		$crm->xero_sets(id_of('Ann'), { EmailAddress => 'there@example.com' }, 30);
		$crm->rows($shift);
		$crm->runs("$shift after edits of both sides", $wins eq 'here' ? { POST => 1 } : {});
		is($crm->rows(q{SELECT email FROM crm.contacts WHERE name = 'Ann'}), "$wins\@example.com", "... $seconds s ago here: the newer one wins");
	}
}
three(match_on => ['name'], conflict => 'newest', on_delete => 'ignore');
$crm->rows(q{DELETE FROM crm.contacts WHERE id = 1});
$crm->xero_sets(id_of('Ann'), { EmailAddress => 'there@example.com' }, 30);
$crm->runs('a row that is deleted');
$crm->rows(q{INSERT INTO crm.contacts (id, name, email) VALUES (1, 'Ann', 'here@example.com'); UPDATE crm.contacts SET id = 9 WHERE id = 1});
$crm->runs('... and there again, with another key', { POST => 1 });
is(contact('Ann')->{EmailAddress}, 'here@example.com', '... is the newer one');

# A sync that only pulls: rows are told by the records that they name.
foreach my $case ([ 'keys that are shifted', 'UPDATE crm.contacts SET id = id + 100; UPDATE crm.contacts SET id = id - 99' ],
	[ 'a load with other keys', 'BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE crm.contacts; TRUNCATE crm.contacts;
		INSERT INTO crm.contacts (id, xero_id, name, account) SELECT id % 3 + 1, xero_id, name, account FROM kept; COMMIT' ])
{
	my ($name, $sql) = @$case;
	$crm->clear;
	$crm->xero_has(map { { Name => $_ } } qw(Ann Bob Cleo));
	$crm->create('crm', direction => 'pull', fields => { xero_id => 'contact_id', name => 'name', email => 'email_address' });
	$crm->runs("pull, $name: first");
	$crm->rows(qq{UPDATE crm.contacts SET account = name; $sql});
	$crm->xero_sets(contact('Ann')->{ContactID}, { Name => 'Anna', EmailAddress => 'ann@example.com' });
	$crm->runs("pull, $name");
	is($crm->rows(q{SELECT string_agg(concat_ws(' ', account, name, email), ', ' ORDER BY account) FROM crm.contacts}), 'Ann Anna ann@example.com, Bob Bob, Cleo Cleo',
		"pull, $name: what is edited comes to its row");
	$crm->quiet("pull, $name");
}
$crm->rows('TRUNCATE crm.contacts');
$crm->runs('pull, a table that was truncated');
is($crm->rows('SELECT string_agg(name, $$ $$ ORDER BY name) FROM crm.contacts'), 'Anna Bob Cleo', '... is filled again');
$crm->rows('BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE crm.contacts; TRUNCATE crm.contacts; INSERT INTO crm.contacts (id, name) SELECT id, name FROM kept; COMMIT');
like($crm->run('crm')->{text}, qr/which records its rows belong to is not known.*none of 3 rows names a record/s, 'pull, rows that name no records: an error, rather than all rows twice');
$crm->rows(q{SELECT xero_fdw.alter_sync('crm', match_on => '{name}')});
$crm->runs('... until they can be matched');
is($crm->rows('SELECT count(*), count(xero_id) FROM crm.contacts'), '3|3', '... they are there once');

# Some rows name their records: of the others nobody knows, and that is all.
foreach my $direction (qw(both push))
{
	$crm->clear;
	$crm->local_has(map { { name => $_ } } qw(Ann Bob Cid));
	$crm->create('crm', direction => $direction);
	$crm->runs("$direction, rows that name no records: first", { PUT => 1 });
	$crm->rows(q{BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE crm.contacts; TRUNCATE crm.contacts;
		INSERT INTO crm.contacts (id, name, email, xero_id) SELECT id + 10, name, 'new@example.com', CASE name WHEN 'Ann' THEN xero_id END FROM kept WHERE name <> 'Cid';
		INSERT INTO crm.contacts (id, name) VALUES (20, 'Zoe'); COMMIT});
	$crm->runs("$direction, rows that name no records", { POST => 1 });
	is(names() . contact('Ann')->{EmailAddress}, 'Ann Bob Cidnew@example.com', '... and those that do go on');
	is($crm->rows('SELECT count(*) FROM crm.contacts'), 3, '... nor do their records come twice');
	is($crm->rows(q{SELECT string_agg(coalesce(local_key::text, 'record'), ' ' ORDER BY local_key) FROM xero_fdw.sync_issues WHERE kind = 'ambiguous' AND sqlstate = '55000'}),
		'[12] [20] record record', '... they are issues');
	$crm->quiet("$direction, rows that name no records");
	$crm->rows(sprintf(q{UPDATE crm.contacts SET xero_id = '%s' WHERE name = 'Bob'; SELECT xero_fdw.retry_issue(issue_id) FROM xero_fdw.sync_issues WHERE local_key = '[20]'}, id_of('Bob')));
	$crm->runs("$direction, ... until they do, or are said to be new", { PUT => 1, POST => 1 });
	is(names() . contact('Bob')->{EmailAddress}, 'Ann Bob Cid Zoenew@example.com', '... and go on');
	$crm->runs("$direction, ... when the last record waits for nobody");
	is($crm->rows(q{SELECT count(*) FROM xero_fdw.sync_issues}), 0, '... no issue is left');
	is($crm->rows(q{SELECT count(*) FROM crm.contacts}), $direction eq 'both' ? 4 : 3, '... and it comes where it may');
	$crm->quiet("$direction, rows that name no records: the end");
}

$crm->quit;
done_testing();
