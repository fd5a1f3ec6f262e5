# Rows that come back, or are found changed though no trigger has told of it: what
# people wrote into them stays, and they are who they were.
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
my %WITH_ID = %{ XeroSync::fields() };
my %NO_ID = %WITH_ID;
delete $NO_ID{xero_id};

sub contact { my ($name) = @_; return (grep { $_->{Name} eq $name } values %{ $crm->xero })[0] // {}; }
sub id_of { my ($name) = @_; return lc(contact($name)->{ContactID} // 'nobody'); }
sub names { return join(' ', sort map { $_->{Name} . ($_->{ContactStatus} eq 'ACTIVE' ? '' : '-') } values %{ $crm->xero }); }
sub emails { return join(' ', map { "$_->{Name} $_->{EmailAddress}" } sort { $a->{Name} cmp $b->{Name} } values %{ $crm->xero }); }
sub kinds { return $crm->rows(q{SELECT string_agg(kind, ' ') FROM xero_fdw.sync_issues}); }
sub issues { return $crm->rows(q{SELECT string_agg(kind || ' ' || coalesce(local_key->>0, '-'), ', ' ORDER BY (local_key->>0)::integer, kind) FROM xero_fdw.sync_issues}); }
sub row { my ($id, @columns) = @_; return $crm->rows('SELECT ' . join(', ', map { "coalesce($_\::text, '')" } @columns) . " FROM crm.contacts WHERE id = $id"); }

# Ann, Bob and Cid at Xero, and here with keys 1 to 3.
sub three
{
	my (%option) = @_;
	$crm->clear;
	$crm->xero_has(map { { Name => $_, EmailAddress => lc($_) . '@example.com' } } qw(Ann Bob Cid));
	$crm->local_has(map { { name => $_, email => lc($_) . '@example.com' } } qw(Ann Bob Cid));
	$crm->create('crm', match_on => ['name'], %option);
	$crm->runs('three');
	return;
}

# A sync that only pulls, and a row that is inserted again, or loaded anew: of what
# it says, only what Xero has changed gives way; what it lacks comes from there.
foreach my $how ('the same key', 'another key', 'without its id', 'loaded anew', 'loaded anew with other keys', 'loaded anew without ids')
{
	my $case = "pull, a row that comes back: $how";
	three(direction => 'pull');
	my ($key, $id) = ($how =~ /other/ ? 11 : 1, $how =~ /without/ ? 'NULL' : 'xero_id');
	$crm->rows(q{UPDATE crm.contacts SET account = 'mine' WHERE id = 1});
	my $remove = $how =~ /loaded/ ? 'TRUNCATE crm.contacts' : 'DELETE FROM crm.contacts WHERE id = 1';
	my $whose = $how =~ /loaded/ ? 'true' : 'id = 1';
	$crm->rows(qq{BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE crm.contacts; $remove;
		INSERT INTO crm.contacts (id, xero_id, name, email, account, first) SELECT id + $key - 1, $id, name,
			CASE name WHEN 'Ann' THEN 'mine\@example.com' ELSE email END, account, 'Mine' FROM kept WHERE $whose; COMMIT});
	$crm->xero_sets(id_of('Ann'), { FirstName => 'Annette' });
	$crm->runs($case);
	is(row($key, qw(xero_id name email account first status)), id_of('Ann') . '|Ann|mine@example.com|mine|Annette|ACTIVE', $case);
	is($crm->rows('SELECT count(*), count(xero_id), count(status) FROM crm.contacts'), '3|3|3', "$case: nobody is there twice, nothing is lacking");
	$crm->quiet($case);
	$crm->xero_sets(id_of('Ann'), { EmailAddress => 'new@example.com' });
	$crm->runs("$case, a change at Xero");
	is(row($key, qw(email account)), 'new@example.com|mine', "$case: what Xero changes later comes");
}

# A row that has been there while the one that it is the same as was, too
three(direction => 'pull');
$crm->rows(q{INSERT INTO crm.contacts (id, name, account) VALUES (5, 'Ann', 'mine')});
$crm->runs('pull, a namesake');
$crm->rows('DELETE FROM crm.contacts WHERE id = 1');
$crm->runs('pull, a namesake that is left');
is(row(5, qw(xero_id email account)), id_of('Ann') . '|ann@example.com|mine', '... has the record');
$crm->quiet('pull, a namesake that is left');

# So it is where the sides were not the same from the first: what was agreed on, holds.
foreach my $direction ('both', 'pull')
{
	foreach my $load ('id, xero_id, name, email) SELECT id, xero_id', 'id, name, email) SELECT id', 'id, name, email) SELECT id + 10')
	{
		my $case = "new_only, $direction, ($load";
		$crm->clear;
		$crm->xero_has(map { { Name => $_, EmailAddress => 'theirs@example.com' } } qw(Ann Bob));
		$crm->local_has(map { { name => $_, email => 'mine@example.com' } } qw(Ann Bob));
		$crm->create('crm', direction => $direction, match_on => ['name'], initial => 'new_only');
		$crm->runs("$case: first");
		$crm->rows("BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE crm.contacts; TRUNCATE crm.contacts; INSERT INTO crm.contacts ($load, name, email FROM kept; COMMIT");
		$crm->xero_sets(id_of('Ann'), { EmailAddress => 'new@example.com', Name => 'Anna' });
		$crm->runs("$case: a change at Xero");
		is($crm->rows(q{SELECT string_agg(name || ' ' || email, ', ' ORDER BY name) FROM crm.contacts}), 'Anna new@example.com, Bob mine@example.com', "$case: it comes");
		is(emails(), 'Anna new@example.com Bob theirs@example.com', "$case: ... and nothing else goes");
		$crm->quiet($case);
	}
}

# A row that stays alone does so wherever it is; another one in its place is new.
foreach my $case ([ '1', 'Zoe', 'Zoe' ], [ '7', 'Zoe', 'Zoe' ], [ '1', 'Ann', '' ], [ '7', 'Ann', '' ])
{
	my ($key, $name, $created) = @$case;
	$crm->clear;
	$crm->local_has({ name => 'Ann' });
	$crm->create('crm', match_on => ['name'], initial => 'new_only');
	$crm->runs('a row that stays alone');
	$crm->rows("BEGIN; DELETE FROM crm.contacts; INSERT INTO crm.contacts (id, name) VALUES ($key, '$name'); COMMIT");
	$crm->runs("... and is $name with key $key now", $created ? { PUT => 1 } : {});
	is(names(), $created, "... who is created: '$created'");
	is($crm->superuser->rows('SELECT count(*) FROM xero_fdw.sync_link'), 1, '... and nothing is left of the other');
}

# What was ambiguous in the first run is so until somebody tells it apart, and then left
# as it is, as what is new alone is synced.
foreach my $case ([ "name = 'Bob'", '' ], [ "email = 'new\@example.com'", 'ambiguous ambiguous ambiguous' ])
{
	my ($change, $left) = @$case;
	$crm->clear;
	$crm->xero_has({ Name => 'Ann', EmailAddress => 'xero@example.com' });
	$crm->local_has({ name => 'Ann', email => 'one@example.com' }, { name => 'Ann', email => 'two@example.com' });
	$crm->create('crm', match_on => ['name'], initial => 'new_only');
	$crm->runs('two rows of one record');
	$crm->quiet('two rows of one record');
	is(kinds(), 'ambiguous ambiguous ambiguous', '... are ambiguous');
	$crm->rows("UPDATE crm.contacts SET $change WHERE id = 2");
	$crm->runs("... one has $change");
	$crm->quiet("... one has $change");
	is(kinds() . emails() . $crm->rows('SELECT email FROM crm.contacts WHERE id = 1'), "${left}Ann xero\@example.comone\@example.com", '... nobody is overwritten or created');
}

# Nothing is left of a row that waited, and whose deletion may be another row's.
$crm->clear;
$crm->local_has({ name => 'Ann' }, { name => 'Ann' });
$crm->create('crm', match_on => ['name'], direction => 'push', on_delete => 'archive');
$crm->run('crm');
is(kinds(), 'validation', 'two of a name, of which one is refused');
$crm->rows('UPDATE crm.contacts SET id = 6 WHERE id = 1; DELETE FROM crm.contacts WHERE id = 2');
$crm->rows(q{BEGIN; DELETE FROM crm.contacts WHERE id = 6; INSERT INTO crm.contacts (id, name) VALUES (6, 'Bob'); COMMIT});
$crm->runs('... both are gone, and the key of one is another row\'s', { POST => 1, PUT => 1 });
is(kinds() . ' ' . names(), ' Ann- Bob', '... which is created, and no issue is left');

# A row that gets the key of such a one is new.
$crm->clear;
$crm->xero_has({ Name => 'Ann' });
$crm->local_has({ name => 'Ann' }, { name => 'Ann' });
$crm->create('crm', match_on => ['name'], initial => 'new_only');
$crm->runs('two rows of one record');
$crm->rows(q{BEGIN; DELETE FROM crm.contacts WHERE id = 2; INSERT INTO crm.contacts (id, name) VALUES (2, 'Bob'); COMMIT});
$crm->runs('... one is another row by now', { PUT => 1 });
is($crm->rows('SELECT xero_id FROM crm.contacts WHERE id = 2') . names(), id_of('Bob') . 'Ann Bob', '... which is created');
$crm->clear;
$crm->xero_has({ Name => 'Ann', EmailAddress => 'xero@example.com' });
$crm->local_has({ name => 'Ann', email => 'one@example.com' }, { name => 'Ann', email => 'two@example.com' });
$crm->create('crm', match_on => ['name'], initial => 'new_only');
$crm->run('crm');
$crm->rows(q{DELETE FROM crm.contacts WHERE id = 2});
$crm->runs('one of two is deleted');
$crm->rows(q{UPDATE crm.contacts SET account = 'A7'});
$crm->runs('... and the other one belongs to the record', { POST => 1 });
is(emails() . kinds(), 'Ann xero@example.com', '... which keeps what it had');

# ... or else is merged by the rules of the first run.
foreach my $case ([ 'local_to_xero', 'xero', 'one@example.com one@example.com' ], [ 'xero_to_local', 'local', 'xero@example.com xero@example.com' ])
{
	my ($initial, $conflict, $emails) = @$case;
	$crm->clear;
	$crm->xero_has({ Name => 'Ann', EmailAddress => 'xero@example.com' });
	$crm->local_has({ name => 'Ann', email => 'one@example.com' }, { name => 'Ann', email => 'two@example.com' });
	$crm->create('crm', match_on => ['name'], initial => $initial, conflict => $conflict);
	$crm->run('crm');
	$crm->rows('DELETE FROM crm.contacts WHERE id = 2');
	$crm->run('crm');
	is($crm->rows('SELECT email FROM crm.contacts WHERE id = 1') . ' ' . contact('Ann')->{EmailAddress}, $emails, "$initial: what was ambiguous in the first run");
}

# ... and so is one that has waited beside it, and was to be created all the same
$crm->clear;
$crm->local_has({ name => 'Ann', email => 's@example.com' });
$crm->create('crm', match_on => ['name'], initial => 'new_only');
$crm->runs('a row that stays alone');
$crm->rows(q{INSERT INTO crm.contacts (name, email) VALUES ('Ann', 'two@example.com')});
$sandbox->faults({ path => '/api.xro/2.0/Contacts', method => 'PUT', status => 503, body => 'x', times => 20 });
is($crm->run('crm')->{state}, 'paused', 'a namesake that cannot be created yet');
$sandbox->faults;
$crm->rows('DELETE FROM crm.contacts WHERE id = 1');
$crm->run('crm');
is(emails(), 'Ann two@example.com', '... is created when the other one is deleted');

# A row in the place of one that is deleted finds its record in a run that ends before
# it merges the two.
three(on_delete => 'archive');
$sandbox->change(object => 'Contacts', create => { Name => 'Dan', ContactStatus => 'ACTIVE' });
$crm->rows(q{INSERT INTO crm.contacts (id, name) VALUES (5, 'Zoe'); DELETE FROM crm.contacts WHERE id = 5;
	INSERT INTO crm.contacts (id, name) VALUES (5, 'Dan'); SET lock_timeout = '100ms'});
$crm->superuser->rows('BEGIN; SELECT FROM crm.contacts WHERE id = 5 FOR UPDATE');
is($crm->run('crm')->{state}, 'paused', 'a row that has found its record, and is locked');
$crm->superuser->rows('COMMIT');
$crm->rows('RESET lock_timeout');
$crm->runs('... and is not any more');
is(names() . issues(), 'Ann Bob Cid Dan', '... is not taken for the one that was deleted');

# Rows that are loaded with the ids of others are nobody's.
three(on_delete => 'archive');
$crm->rows('BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE crm.contacts; TRUNCATE crm.contacts;
	INSERT INTO crm.contacts (id, xero_id, name, email) SELECT id + 10, (SELECT o.xero_id FROM kept AS o WHERE o.id = k.id % 3 + 1), name, email FROM kept AS k; COMMIT');
$crm->runs('loaded with the ids of others');
is($crm->rows(q{SELECT string_agg(kind || local_key, ' ' ORDER BY local_key) FROM xero_fdw.sync_issues WHERE local_key IS NOT NULL}), 'ambiguous[11] ambiguous[12] ambiguous[13]', '... are issues');
is(names() . $crm->rows('SELECT count(*) FROM crm.contacts'), 'Ann Bob Cid3', '... and nobody is renamed, or there twice');

# So it is with what only comes from Xero in a sync both ways.
three();
$crm->rows(q{UPDATE crm.contacts SET status = 'mine' WHERE id = 1;
	BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE crm.contacts; DELETE FROM crm.contacts WHERE id < 3;
	INSERT INTO crm.contacts SELECT * FROM kept WHERE id = 1; INSERT INTO crm.contacts (id, name, email) SELECT id, name, email FROM kept WHERE id = 2; COMMIT});
is($crm->rows(q{SELECT local_key->>0, field, old, new, why FROM xero_fdw.plan_sync('crm') WHERE field = 'status'}), '2|status|null|"ACTIVE"|the row has nothing there', 'both ways: a plan');
$crm->runs('both ways, rows that come back');
is($crm->rows(q{SELECT string_agg(status, ' ' ORDER BY id) FROM crm.contacts}), 'mine ACTIVE ACTIVE', '... have what was written into them, or what they lack');
$crm->quiet('both ways, rows that come back');

# The id of the record is taken out of a row, or is another one's.
three(direction => 'pull');
my ($ann, $bob, $cid) = map { id_of($_) } qw(Ann Bob Cid);
$crm->rows('UPDATE crm.contacts SET xero_id = NULL WHERE id = 1');
is($crm->runs('pull, an id that is taken out')->{updated}, 1, '... one row is written');
is(row(1, 'xero_id'), $ann, '... it is filled in again');
$crm->quiet('pull, an id that is taken out');
$crm->rows("UPDATE crm.contacts SET xero_id = '$bob', email = 'mine\@example.com' WHERE id = 1");
$crm->runs('pull, the id of another one');
is(issues(), 'ambiguous 1', '... is an issue');
$crm->quiet('pull, the id of another one');
$crm->xero_sets($ann, { FirstName => 'Annette' });
$crm->runs('... and a change at Xero');
is(issues() . ' ' . row(1, qw(xero_id first)), "ambiguous 1 $bob|", '... does not come');
$crm->rows("UPDATE crm.contacts SET xero_id = '$ann' WHERE id = 1");
$crm->runs('... until it is put right');
is(issues() . row(1, qw(xero_id email first)), "$ann|mine\@example.com|Annette", '... then it does');
$crm->quiet('... until it is put right');

# A row that is renamed and loaded anew before anybody has seen that: it is the one that
# says what it said last or, if there is none, what both sides agreed on.
foreach my $emptied ('DELETE FROM', 'TRUNCATE')
{
	foreach my $id ('id', 'id + 10')
	{
		foreach my $direction ('both', 'push')
		{
			my $case = "renamed, then $emptied, $id, $direction";
			three(on_delete => 'archive', direction => $direction, fields => \%NO_ID);
			my ($ann, $bob) = map { id_of($_) } qw(Ann Bob);
			$crm->rows("UPDATE crm.contacts SET name = name || 'e' WHERE id < 3; BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE crm.contacts; $emptied crm.contacts;
				INSERT INTO crm.contacts (id, name, email) SELECT $id, CASE name WHEN 'Bobe' THEN 'Bob' ELSE name END, email FROM kept; COMMIT");
			$crm->runs($case, { POST => 1 });
			is(names() . issues(), 'Anne Bob Cid', "$case: nobody has ended, or is there twice");
			is(id_of('Anne') . id_of('Bob'), $ann . $bob, "$case: ... and they are who they were");
			$crm->quiet($case);
		}
	}
}
# ... also if a run has seen it gone
three(on_delete => 'ignore', fields => \%NO_ID);
$crm->rows(q{UPDATE crm.contacts SET name = 'Anne' WHERE id = 1; DELETE FROM crm.contacts WHERE id = 1});
$crm->runs('renamed, and deleted');
$crm->rows(q{INSERT INTO crm.contacts (name, email) VALUES ('Anne', 'ann@example.com')});
$crm->runs('... and there again', { POST => 1 });
is(names() . issues(), 'Anne Bob Cid', '... with its record');

# ... or has failed to send the new name
foreach my $emptied ('DELETE FROM', 'TRUNCATE')
{
	my $case = "renamed, not sent, then $emptied";
	three(on_delete => 'archive', fields => \%NO_ID);
	my $ann = id_of('Ann');
	$sandbox->faults({ path => '/api.xro/2.0/Contacts', method => 'POST', status => 500, body => '{"Message": "x"}' });
	$crm->rows(q{UPDATE crm.contacts SET name = 'Anne' WHERE id = 1});
	is($crm->run('crm')->{state}, 'paused', "$case: Xero fails");
	$sandbox->faults;
	$crm->rows("BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE crm.contacts; $emptied crm.contacts;
		INSERT INTO crm.contacts (id, name, email) SELECT id + 10, name, email FROM kept; COMMIT");
	$crm->runs($case, { POST => 1 });
	is(names() . issues(), 'Anne Bob Cid', "$case: nobody has ended, or is there twice");
	is(id_of('Anne'), $ann, "$case: ... and she is who she was");
	$crm->quiet($case);
}

# A name that both sides have got, here by loading the rows anew
foreach my $emptied ('DELETE FROM', 'TRUNCATE')
{
	foreach my $id ('id', 'id + 10')
	{
		foreach my $option ([ direction => 'both' ], [ direction => 'both', on_delete => 'archive' ], [ direction => 'push', on_delete => 'archive' ], [ direction => 'pull' ])
		{
			my %option = @$option;
			my $case = "renamed at Xero, then $emptied, $id, " . join(' ', @$option);
			three(%option, fields => \%NO_ID);
			my $ann = id_of('Ann');
			$crm->xero_sets($ann, { Name => 'Anne' });
			$crm->rows("BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE crm.contacts; $emptied crm.contacts;
				INSERT INTO crm.contacts (id, name, email) SELECT $id, CASE name WHEN 'Ann' THEN 'Anne' ELSE name END, email FROM kept; COMMIT");
			$crm->runs($case);
			is(names() . issues(), 'Anne Bob Cid', "$case: nobody has ended, or is there twice");
			is(id_of('Anne') . $crm->rows('SELECT count(*) FROM crm.contacts'), "${ann}3", "$case: ... and is who it was");
			$crm->quiet($case);
		}
	}
}

# Of rows that say the same, nobody knows which is the one that is gone: none ends, and
# none is made.
foreach my $emptied ('DELETE FROM', 'TRUNCATE')
{
	my $case = "two for one, $emptied";
	three(on_delete => 'archive', fields => \%NO_ID, match_on => ['email']);
	$crm->rows("DELETE FROM crm.contacts WHERE id = 1; INSERT INTO crm.contacts (id, name, email) VALUES (4, 'Anne', 'ann\@example.com');
		BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE crm.contacts; $emptied crm.contacts;
		INSERT INTO crm.contacts (id, name, email) SELECT id, name, email FROM kept; COMMIT;
		INSERT INTO crm.contacts (id, name, email) VALUES (5, 'Anna', 'ann\@example.com')");
	$crm->runs($case);
	is(names() . ' ' . $crm->rows(q{SELECT string_agg(kind || coalesce(local_key::text, ''), ' ' ORDER BY local_key) FROM xero_fdw.sync_issues}),
		'Ann Bob Cid ambiguous[4] ambiguous[5] ambiguous', $case);
	$crm->quiet($case);
	$crm->rows(q{UPDATE crm.contacts SET email = 'anna@example.com' WHERE id = 5});
	$crm->runs("$case, and one less", { POST => 1, PUT => 1 });
	is(names() . issues(), 'Anna Anne Bob Cid', '... is the one, and the other is new');
	$crm->quiet("$case, and one less");
}

# Where ids are texts, other programs write them in capitals.
foreach my $emptied ('TRUNCATE', 'DELETE FROM')
{
	$crm->rows('ALTER TABLE crm.contacts ALTER COLUMN xero_id TYPE text');
	three(on_delete => 'archive');
	$crm->rows("BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE crm.contacts; $emptied crm.contacts;
		INSERT INTO crm.contacts SELECT (jsonb_populate_record(k, jsonb_build_object('id', id + 10, 'name', name || 'e', 'xero_id', upper(xero_id)))).* FROM kept AS k; COMMIT");
	$crm->runs("$emptied, ids in capitals", { POST => 1 });
	is(names() . issues(), 'Anne Bobe Cide', "$emptied, ids in capitals: nobody has ended, or is there twice");
	is_deeply([ $crm->differences ], [], "$emptied, ids in capitals: both sides are equal");
	$crm->rows('UPDATE crm.contacts SET xero_id = upper(xero_id) WHERE id = 11');
	is($crm->runs('... written by an UPDATE')->{updated} . issues(), 1, '... are put right');
	$crm->quiet('... written by an UPDATE');
	$crm->clear;
	$crm->rows('ALTER TABLE crm.contacts ALTER COLUMN xero_id TYPE uuid USING xero_id::uuid');
}

# Issues show the key that a row has now.
foreach my $how ('UPDATE crm.contacts SET id = id + 10', 'BEGIN; CREATE TEMP TABLE kept ON COMMIT DROP AS TABLE crm.contacts; DELETE FROM crm.contacts;
	INSERT INTO crm.contacts SELECT (jsonb_populate_record(k, jsonb_build_object($$id$$, id + 10))).* FROM kept AS k; COMMIT')
{
	my $case = $how =~ /^(\w+)/ ? $1 : '';
	three(conflict => 'manual', fields => { %WITH_ID, first => { xero => 'first_name', to_xero => '(100 / nullif(length(first), 4))::text || first' } });
	$crm->rows("UPDATE crm.contacts SET email = 'here\@example.com' WHERE id = 1; UPDATE crm.contacts SET email = 'no address' WHERE id = 2;
		INSERT INTO crm.contacts (xero_id, name) VALUES ('11111111-2222-4333-8444-555555555555', 'Dan')");
	$crm->xero_sets(id_of('Ann'), { EmailAddress => 'there@example.com' });
	$crm->runs("$case: issues", { POST => 1 });
	is(issues(), 'conflict 1, validation 2, ambiguous 4', "$case: ... of keys");
	$crm->rows($how);
	$crm->runs("$case: other keys", { POST => 1 });
	is(issues(), 'conflict 11, validation 12, ambiguous 14', "$case: ... are told");
}

# Rows that are others than before, of which no trigger has told, are looked at as in a
# first run where they say what other rows have said: nobody gets another one's name.
# What they say besides is an edit.
my %shifts = (
	'contents' => [ q{UPDATE crm.contacts AS c SET name = k.name, email = k.email FROM kept AS k WHERE k.id = c.id %% 3 + 1}, {} ],
	'contents, with ids' => [ q{UPDATE crm.contacts AS c SET name = k.name, email = k.email, xero_id = k.xero_id FROM kept AS k WHERE k.id = c.id %% 3 + 1}, {} ],
	'keys' => [ q{UPDATE crm.contacts SET id = id + 100; UPDATE crm.contacts SET id = id - 99}, {} ],
	'keys, with a new one' => [ q{UPDATE crm.contacts SET id = id + 100; UPDATE crm.contacts SET id = id - 99; INSERT INTO crm.contacts (id, name, email) VALUES (1, 'Zoe', 'zoe@example.com')}, { PUT => 1 } ],
	'contents, and one is new' => [ q{UPDATE crm.contacts AS c SET name = k.name, email = k.email FROM kept AS k WHERE k.id = c.id + 1; UPDATE crm.contacts SET name = 'Zoe', email = 'zoe@example.com' WHERE id = 3}, { PUT => 1 } ],
	'with an edit' => [ q{UPDATE crm.contacts AS c SET name = k.name, email = k.email, account = 'new' FROM kept AS k WHERE k.id = c.id %% 3 + 1}, { POST => 1 } ]);
foreach my $shift (sort keys %shifts)
{
	foreach my $id ('id', 'no id')
	{
		my ($sql, $writes) = @{ $shifts{$shift} };
		next if $id eq 'id' && $shift =~ /^(?:contents|contents, and one is new|with an edit)$/ || $id eq 'no id' && $shift =~ /ids/;
		my $case = "no trigger, $shift, $id";
		three(on_delete => 'archive', fields => $id eq 'id' ? \%WITH_ID : \%NO_ID);
		$crm->rows(qq{CREATE TEMP TABLE kept AS TABLE crm.contacts; ALTER TABLE crm.contacts DISABLE TRIGGER USER; $sql;
			ALTER TABLE crm.contacts ENABLE TRIGGER USER; DROP TABLE kept; SELECT xero_fdw.alter_sync('crm')} =~ s/%%/%/gr);
		my $before = emails();
		$crm->runs($case, $writes);
		is(emails() =~ s/ Zoe zoe\@example.com//r, $before, "$case: nobody has become another one");
		is(issues(), $shift =~ /one is new/ ? 'missing 1' : '', "$case: issues");
		is_deeply([ $crm->differences ], [], "$case: both sides are equal") if $id eq 'id';
		$crm->quiet($case);
	}
}

# ... or where the name has gone with the id
three(on_delete => 'archive');
$crm->rows(q{ALTER TABLE crm.contacts DISABLE TRIGGER USER; UPDATE crm.contacts SET name = 'Zoe', xero_id = NULL WHERE id = 1; UPDATE crm.contacts SET xero_id = NULL WHERE id = 2;
	UPDATE crm.contacts SET name = 'Cide' WHERE id = 3; ALTER TABLE crm.contacts ENABLE TRIGGER USER; SELECT xero_fdw.alter_sync('crm')});
$crm->runs('no trigger, other names and no ids', { PUT => 1, POST => 1 });
is(names() . ' ' . issues(), 'Ann Bob Cide Zoe missing 1', '... nobody has become another one');
is_deeply([ $crm->differences ], ['contact Ann has no row'], '... and all others are equal');
$crm->quiet('no trigger, other names and no ids');

# ... but where a row names its record, and takes what another one has said, a person
# is asked.
three(on_delete => 'archive');
my $was = emails();
$crm->rows(q{ALTER TABLE crm.contacts DISABLE TRIGGER USER; UPDATE crm.contacts SET name = CASE id WHEN 1 THEN 'Bob' WHEN 2 THEN 'Cid' ELSE 'Dan' END, email = 'x@example.com' WHERE id < 4;
	ALTER TABLE crm.contacts ENABLE TRIGGER USER; SELECT xero_fdw.alter_sync('crm')});
$crm->runs('no trigger, names that are shifted while ids stay', { POST => 1 });
is(issues(), 'ambiguous 1, ambiguous 2', '... are issues');
like($crm->rows(q{SELECT message FROM xero_fdw.sync_issues WHERE local_key = '[1]'}), qr/^the row names record \S+, and its values of match_on are another record's$/, '... that say so');
is(emails(), 'Ann ann@example.com Bob bob@example.com Dan x@example.com', '... and one is an edit');
$crm->rows(q{UPDATE crm.contacts SET account = 'a' WHERE id < 3});
$crm->xero_sets(id_of('Ann'), { FirstName => 'Annette' });
$crm->runs('... and edits of both sides');
is(issues() . row(1, 'first'), 'ambiguous 1, ambiguous 2', '... do not flow');
$crm->quiet('... and edits of both sides');
$crm->rows(q{UPDATE crm.contacts SET name = 'Ann', email = 'ann@example.com' WHERE id = 1; SELECT xero_fdw.retry_issue(issue_id) FROM xero_fdw.sync_issues WHERE local_key = '[2]'});
$crm->runs('... until somebody says who they are', { POST => 1 });
is(emails() . issues(), 'Ann ann@example.com Cid x@example.com Dan x@example.com', '... by an UPDATE, or a word');
is_deeply([ $crm->differences ], [], '... and both sides are equal');

# What was renamed by an UPDATE while it waited for a person is renamed.
three();
($ann, $bob) = map { id_of($_) } qw(Ann Bob);
$crm->rows("UPDATE crm.contacts SET xero_id = '$bob', name = 'Anna' WHERE id = 1");
$crm->runs('another name, and the id of another one');
is(issues(), 'ambiguous 1', '... is an issue');
$crm->rows("UPDATE crm.contacts SET xero_id = '$ann' WHERE id = 1");
$crm->runs('... until it is put right', { POST => 1 });
is(names() . issues(), 'Anna Bob Cid', '... then the name goes through');

# A trigger that is disabled is noticed, be it that of a partition alone.
$crm->clear;
$crm->rows(q{CREATE TABLE crm.parted (id integer, xero_id uuid, name text, email text, account text, first text, surname text, status text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
	CREATE TABLE crm.low PARTITION OF crm.parted FOR VALUES FROM (0) TO (10)});
$crm->create('crm', local_table => 'crm.parted', match_on => ['name'], direction => 'push');
$crm->rows(q{CREATE TABLE crm.high PARTITION OF crm.parted FOR VALUES FROM (10) TO (20); INSERT INTO crm.parted (id, name) VALUES (1, 'Ann'), (11, 'Bob')});
$crm->runs('partitions', { PUT => 1 });
$crm->rows(q{ALTER TABLE crm.high DISABLE TRIGGER USER; UPDATE crm.parted SET email = lower(name) || '@example.com'; ALTER TABLE crm.high ENABLE TRIGGER USER});
like($crm->run('crm')->{text}, qr/A trigger of the sync on table crm.high was dropped or disabled/, 'a partition whose trigger was disabled: a run says so');
$crm->rows(q{SELECT xero_fdw.alter_sync('crm')});
$crm->runs('... until alter_sync()', { POST => 1 });
is(emails(), 'Ann ann@example.com Bob bob@example.com', '... and the edits arrive');
$crm->quiet('... until alter_sync()');
$crm->rows(q{SELECT xero_fdw.drop_sync('crm'); DROP TABLE crm.parted});

# A row whose record has not ended with it is the same when it comes back, whatever
# on_delete has become meanwhile.
foreach my $id ('xero_id', 'NULL')
{
	three(on_delete => 'ignore');
	$crm->rows('CREATE TEMP TABLE kept AS TABLE crm.contacts; DELETE FROM crm.contacts WHERE id < 3');
	$crm->runs('rows that are deleted');
	$crm->rows(qq{SELECT xero_fdw.alter_sync('crm', on_delete => 'archive');
		INSERT INTO crm.contacts (id, xero_id, name, email) SELECT CASE id WHEN 1 THEN 1 ELSE 12 END, $id, name, 'new' || email FROM kept WHERE id < 3; DROP TABLE kept});
	$crm->runs("from ignore to archive, and they come back with $id", { POST => 1 });
	is(names() . issues(), 'Ann Bob Cid', '... with their records');
	is_deeply([ $crm->differences ], [], '... and both sides are equal');
	$crm->rows('CREATE TEMP TABLE kept AS TABLE crm.contacts; DELETE FROM crm.contacts WHERE id = 1');
	$crm->runs('... and now a deletion ends a record', { POST => 1 });
	$crm->rows(q{SELECT xero_fdw.alter_sync('crm', on_delete => 'ignore'); INSERT INTO crm.contacts (id, name) VALUES (1, 'Ann'); DROP TABLE kept});
	$crm->runs('from archive to ignore', { PUT => 1 });
	is(names(), 'Ann Ann- Bob Cid', '... who has ended stays so');
}

$crm->quit;
done_testing();
