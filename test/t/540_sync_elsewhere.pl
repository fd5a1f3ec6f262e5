# Local sides of other kinds, and what can happen to a local side, to the
# expressions, and to an organisation.
use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use XeroSync;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--contacts', 0, '--invoices', 0, '--strict', '--no-limits' ],
	server => { minute_limit => 1000000, day_limit => 1000000 });
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $crm = XeroSync->new($xero);

sub contact { my ($name) = @_; return (grep { $_->{Name} eq $name } values %{ $crm->xero })[0] // {}; }
sub row { my ($name, $table) = @_; return (grep { $_->{name} eq $name } values %{ $crm->local($table) })[0] // {}; }
sub issues { return $crm->rows('SELECT kind, count(*) FROM xero_fdw.sync_issues GROUP BY 1 ORDER BY 1'); }

# A run that must be done, and what it may cost: the methods other than GET.
sub runs
{
	my ($name, $writes) = @_;
	my $run = $crm->run('crm');
	is($run->{state}, 'done', $name) or diag($run->{text});
	my %writes = %{ $run->{calls_by} };
	delete $writes{GET};
	is_deeply(\%writes, $writes, "$name: what is written") or diag(join("\n", @{ $run->{lines} })) if $writes;
	return $run;
}

# A partitioned table
$crm->rows(q{CREATE SEQUENCE crm.parted_id;
	CREATE TABLE crm.parted (id integer NOT NULL DEFAULT nextval('crm.parted_id'), region text NOT NULL DEFAULT 'north',
		xero_id uuid, name text, email text, account text, first text, surname text, status text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
	CREATE TABLE crm.north PARTITION OF crm.parted FOR VALUES IN ('north'); CREATE TABLE crm.south PARTITION OF crm.parted DEFAULT});
$crm->xero_has(map { { Name => "Parted $_" } } 1 .. 5);
$crm->create('crm', local_table => 'crm.parted', match_on => ['name']);
$crm->rows(q{INSERT INTO crm.parted (name, region) SELECT 'Parted ' || n, CASE WHEN n % 2 = 0 THEN 'north' ELSE 'south' END FROM generate_series(4, 8) AS n});
runs('a partitioned table', { PUT => 1 });
is_deeply([ $crm->differences('crm.parted') ], [], '... both sides are equal');
$crm->rows(q{UPDATE crm.parted SET email = 'moved@example.com', region = 'south' WHERE name = 'Parted 6'; UPDATE crm.south SET email = 'direct@example.com' WHERE name = 'Parted 7'});
$crm->xero_sets(contact('Parted 1')->{ContactID}, { EmailAddress => 'xero@example.com' });
runs('a row that moves to another partition, one written directly', { POST => 1 });
is(contact('Parted 6')->{EmailAddress} . contact('Parted 7')->{EmailAddress}, 'moved@example.comdirect@example.com', '... are at Xero');
is(row('Parted 1', 'crm.parted')->{email}, 'xero@example.com', '... and Xero\'s edit is here');
is_deeply([ $crm->differences('crm.parted'), $crm->doubles('crm.parted') ], [], '... both sides are equal');
$crm->rows(q{SELECT xero_fdw.alter_sync('crm', on_delete => 'archive')});
$crm->rows(q{UPDATE crm.parted SET region = CASE WHEN region = 'north' THEN 'south' ELSE 'north' END; DELETE FROM crm.parted WHERE name = 'Parted 8'});
runs('all rows move, one is deleted', { POST => 1 });
is(join(' ', map { $_->{Name} } grep { $_->{ContactStatus} eq 'ARCHIVED' } values %{ $crm->xero }), 'Parted 8', '... which alone is archived');
is(scalar(keys %{ $crm->xero }), 8, '... and nobody is created');

# A table of another server
$crm->clear;
$crm->superuser->rows('CREATE DATABASE far; CREATE EXTENSION postgres_fdw');
my $far = XeroSession->new($node, dbname => 'far');
$far->rows('CREATE TABLE people (id uuid PRIMARY KEY, xero_id uuid, name text, email text, account text, first text, surname text, status text)');
my ($host, $port) = ($node->host, $node->port);
$crm->superuser->rows("CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'far');
	CREATE USER MAPPING FOR books SERVER far OPTIONS (user 'postgres', password_required 'false'); GRANT USAGE ON FOREIGN SERVER far TO books");
$crm->rows("CREATE FOREIGN TABLE crm.far (id uuid NOT NULL DEFAULT gen_random_uuid(), xero_id uuid, name text, email text, account text, first text, surname text, status text)
		SERVER far OPTIONS (schema_name 'public', table_name 'people')");
$crm->xero_has(map { { Name => "Far $_", EmailAddress => "x$_\@example.com" } } 1 .. 60);
$far->rows(q{INSERT INTO people (id, name, email) SELECT gen_random_uuid(), 'Far ' || n, 'l' || n || '@example.com' FROM generate_series(31, 90) AS n});
$crm->create('crm', local_table => 'crm.far', match_on => ['name'], conflict => 'xero', fields => { %{ XeroSync::fields() }, id => { key => JSON::PP::true } });
runs('a table of postgres_fdw', { PUT => 1 });
is_deeply([ $crm->differences('crm.far'), $crm->doubles('crm.far') ], [], '... both sides are equal');
is(scalar(keys %{ $crm->local('crm.far') }), 90, '... with all people');
$far->rows(q{UPDATE people SET email = 'edited@example.com' WHERE name = 'Far 40'; DELETE FROM people WHERE name = 'Far 41'; INSERT INTO people (id, name) VALUES (gen_random_uuid(), 'Far 91');
	UPDATE people SET id = gen_random_uuid() WHERE name = 'Far 43'});
$crm->xero_sets(contact('Far 42')->{ContactID}, { EmailAddress => 'xero@example.com' });
my $run = runs('rows that are edited over there', { PUT => 1, POST => 1 });
is(contact('Far 40')->{EmailAddress}, 'edited@example.com', '... an update');
is(contact('Far 41')->{ContactStatus} . ' ' . issues(), 'ACTIVE missing|1', '... a row that is gone is an issue');
is(row('Far 42', 'crm.far')->{email}, 'xero@example.com', '... and what was edited at Xero');
is(contact('Far 43')->{ContactStatus}, 'ACTIVE', '... and a row with another key is still the same');
is_deeply([ grep { !/Far 41/ } $crm->differences('crm.far') ], [], '... both sides are equal');
runs('... which the next run has seen', {});
$crm->rows('SELECT xero_fdw.resolve_conflict(issue_id, \'local\') FROM xero_fdw.sync_issues');
runs('... until a person says that it was deleted', {});
is(contact('Far 41')->{ContactStatus} . ' ' . issues(), 'ACTIVE ', '... which ends nothing at Xero');

$far->rows(q{UPDATE people AS p SET name = k.name, email = k.email, xero_id = k.xero_id FROM people AS k
	WHERE p.name IN ('Far 44', 'Far 45') AND k.name IN ('Far 44', 'Far 45') AND k.id <> p.id});
runs('rows that have changed places over there', {});
is(issues(), '', '... are no issues');
is_deeply([ grep { !/Far 41/ } $crm->differences('crm.far') ], [], '... and still belong to their records');

# One that can only be read
$crm->clear;
$far->rows('CREATE VIEW totals AS SELECT id, name, max(email) AS email FROM people WHERE name IN (\'Far 50\', \'Far 51\') GROUP BY id, name');
$crm->rows(q{CREATE FOREIGN TABLE crm.totals (id uuid, name text, email text) SERVER far OPTIONS (schema_name 'public', table_name 'totals')});
$crm->create('crm', local_table => 'crm.totals', direction => 'push', match_on => ['name'],
	fields => { id => { key => JSON::PP::true }, name => 'name', email => 'email_address' });
runs('a view over there', { PUT => 1 });
is(contact('Far 50')->{EmailAddress}, row('Far 50', 'crm.far')->{email}, '... goes to Xero');
runs('... and then there is nothing', {});
$far->quit;

# The key of a row changes
$crm->clear;
$crm->xero_has({ Name => 'Key 1' });
$crm->local_has({ name => 'Key 2' });
$crm->create('crm', match_on => ['name']);
runs('before keys change', { PUT => 1 });
$crm->rows(q{UPDATE crm.contacts SET id = id + 1000, email = 'new@example.com'});
runs('after keys have changed', { POST => 1 });
is_deeply([ $crm->differences, $crm->doubles ], [], '... it is the same people');
$crm->rows(q{UPDATE crm.contacts SET id = 5000 - id});
runs('keys that change by themselves', {});
$crm->xero_sets(contact('Key 1')->{ContactID}, { EmailAddress => 'after@example.com' });
runs('an edit after that', {});
is(row('Key 1')->{email}, 'after@example.com', '... finds its row');
is_deeply([ $crm->differences ], [], '... it is the same people');

# A row that is deleted while it is pushed
foreach my $on_delete (qw(ignore archive))
{
	$crm->clear;
	$crm->create('crm', match_on => ['name'], on_delete => $on_delete);
	runs("$on_delete: nothing", {});
	$crm->local_has({ name => 'Short-lived' }, { name => 'Long-lived' });
	$sandbox->faults({ path => '/api.xro/2.0/Contacts', method => 'PUT', times => 1, delay_ms => 500 });
	my $mark = $sandbox->mark;
	$crm->session->start(q{CALL xero_fdw.run_sync('crm')});
	for (1 .. 100) { last if grep { /^PUT/ } $sandbox->calls($mark); sleep(0.05); }
	$node->safe_psql('postgres', q{DELETE FROM crm.contacts WHERE name = 'Short-lived'; UPDATE crm.contacts SET email = 'meanwhile@example.com'});
	is($crm->session->wait->{state}, '00000', "$on_delete: a row is deleted while it is pushed, another edited");
	runs("$on_delete: the run after that");
	runs("$on_delete: and one more", {});
	is(contact('Short-lived')->{ContactStatus}, $on_delete eq 'archive' ? 'ARCHIVED' : 'ACTIVE', "$on_delete: what becomes of the contact");
	is_deeply(row('Short-lived'), {}, "$on_delete: the row does not come back");
	is(contact('Long-lived')->{EmailAddress}, 'meanwhile@example.com', "$on_delete: the edit is not lost");
	is(scalar(keys %{ $crm->xero }), 2, "$on_delete: nobody is there twice");
	is(issues(), '', "$on_delete: no issues");
}

# The local table is altered
$crm->clear;
$crm->xero_has({ Name => 'Altered', CompanyNumber => 'A1' });
$crm->create('crm', match_on => ['name']);
runs('before the table is altered', {});
sub fails
{
	my ($name, $pattern) = @_;
	my $mark = $sandbox->mark;
	my $failed = $crm->run('crm');
	isnt($failed->{sqlstate_of_call}, '00000', $name);
	like($failed->{text}, $pattern, "$name: the error says what it is");
	is($failed->{state}, 'failed', "$name: so does the run");
	is_deeply([ $sandbox->calls($mark) ], [], "$name: no call is made");
	return;
}
$crm->rows('ALTER TABLE crm.contacts DROP COLUMN account');
fails('a column was dropped', qr/ERROR:.*"account"/s);
$crm->rows(q{ALTER TABLE crm.contacts ADD COLUMN account text; UPDATE crm.contacts SET account = 'A1'});
fails('another column has its name', qr/ERROR:.*"account".*another one has its name/s);
$crm->rows(q{SELECT xero_fdw.alter_sync('crm')});
runs('which is what the sync is to use', {});
$crm->rows(q{ALTER TABLE crm.contacts ALTER COLUMN first TYPE date USING NULL});
fails('a column has another type', qr/ERROR:.*"first"/s);
$crm->rows(q{ALTER TABLE crm.contacts ALTER COLUMN first TYPE text});
$crm->superuser->rows(q{ALTER FOREIGN TABLE xero.contacts DROP COLUMN last_name});
fails('a column of the foreign table was dropped', qr/ERROR:.*"last_name"/s);
$crm->superuser->rows(q{ALTER FOREIGN TABLE xero.contacts ADD COLUMN last_name text OPTIONS (field 'LastName')});
$crm->rows(q{ALTER TABLE crm.contacts RENAME COLUMN email TO mail});
fails('a column was renamed', qr/ERROR:.*"email"/s);
$crm->rows(q{INSERT INTO crm.contacts (name, mail) VALUES ('Meanwhile', 'm@example.com')});
my %fields = %{ XeroSync::fields() };
$fields{mail} = delete $fields{email};
$crm->rows(q{SELECT xero_fdw.alter_sync('crm', fields => } . XeroSync::quoted(JSON::PP->new->encode(\%fields)) . ')');
runs('after alter_sync', { PUT => 1 });
is(contact('Meanwhile')->{EmailAddress}, 'm@example.com', '... what was written meanwhile is not lost');
$crm->rows(q{ALTER TABLE crm.contacts RENAME COLUMN mail TO email});

# Filters
sub email { my ($name) = @_; return (contact($name)->{EmailAddress} // '') . ' ' . (row($name)->{email} // ''); }
$crm->clear;
$crm->create('crm', match_on => ['name'], local_filter => "account = 'in'", xero_filter => "email_address <> 'out\@example.com'");
$crm->local_has({ name => 'A', email => 'a@example.com', account => 'in' }, { name => 'B', account => 'no' });
$crm->xero_has({ Name => 'X', EmailAddress => 'x@example.com' }, { Name => 'Y', EmailAddress => 'out@example.com' });
runs('filters', { PUT => 1 });
is(join(' ', sort map { $_->{Name} } values %{ $crm->xero }), 'A X Y', '... keep rows from Xero');
is(join(' ', sort map { $_->{name} } values %{ $crm->local }), 'A B X', '... and contacts from here');
$crm->rows(q{UPDATE crm.contacts SET account = 'out', email = 'gone@example.com' WHERE name = 'A'; UPDATE crm.contacts SET account = 'in' WHERE name = 'B'});
$crm->xero_sets(contact('X')->{ContactID}, { EmailAddress => 'out@example.com' });
$crm->xero_sets(contact('Y')->{ContactID}, { EmailAddress => 'in@example.com' });
runs('what enters and leaves', { PUT => 1 });
is(email('A'), 'a@example.com gone@example.com', '... a row that leaves is left as it is there');
is(email('X'), 'out@example.com x@example.com', '... so is a contact here');
is(contact('B')->{ContactStatus} . row('Y')->{status}, 'ACTIVEACTIVE', '... what enters is created');

# What reading by time of change cannot see
$crm->clear;
$crm->xero_has(map { { Name => "Seen $_" } } 1 .. 3);
$crm->create('crm', match_on => ['name'], on_delete => 'archive');
runs('before an audit', {});
$sandbox->change(object => 'Contacts', id => contact('Seen 1')->{ContactID}, delete => JSON::PP::true);
$crm->xero_sets(contact('Seen 2')->{ContactID}, { EmailAddress => 'silent@example.com' }, 90000);
runs('what nobody tells', {});
is(email('Seen 2'), 'silent@example.com ', '... is not seen');
is($crm->rows(q{SELECT a.finding, c.name FROM xero_fdw.audit_sync('crm') AS a JOIN crm.contacts AS c ON a.local_key = jsonb_build_array(c.id) ORDER BY 1}),
	"differs|Seen 2\ngone|Seen 1", 'an audit finds it');
runs('... the next run', {});
is(email('Seen 2'), 'silent@example.com silent@example.com', '... brings the change');
is_deeply([ $crm->differences ], [], '... and takes out the row');

# What the local table refuses
$crm->rows(q{ALTER TABLE crm.contacts ADD CONSTRAINT good CHECK (email <> 'bad@example.com')});
$crm->xero_sets(contact('Seen 2')->{ContactID}, { EmailAddress => 'bad@example.com' });
$crm->xero_sets(contact('Seen 3')->{ContactID}, { EmailAddress => 'good@example.com' });
runs('a contact that a constraint refuses', {});
is(issues(), 'validation|1', '... is an issue');
is(row('Seen 3')->{email}, 'good@example.com', '... and the others go on');
$crm->xero_sets(contact('Seen 2')->{ContactID}, { EmailAddress => 'mended@example.com' });
runs('... when it is mended', {});
is(issues() . row('Seen 2')->{email}, 'mended@example.com', '... it is none');
$crm->rows('ALTER TABLE crm.contacts DROP CONSTRAINT good');

# Expressions that raise for one row
$crm->clear;
%fields = (%{ XeroSync::fields() },
	account => { xero => 'company_number', to_local => '(100 / company_number::integer)::text', to_xero => '(100 / account::integer)::text' });
$crm->create('crm', match_on => ['name'], fields => \%fields);
$crm->xero_has(map { { Name => "There $_", CompanyNumber => $_ == 7 ? 'x' : "$_" } } 1 .. 20);
$crm->rows(q{INSERT INTO crm.contacts (name, account) SELECT 'Here ' || n, CASE n WHEN 7 THEN '0' ELSE n::text END FROM generate_series(1, 20) AS n});
$run = runs('expressions that raise for one row', { PUT => 1 });
is($crm->rows(q{SELECT kind, sqlstate, count(*) FROM xero_fdw.sync_issues GROUP BY 1, 2 ORDER BY 1, 2}), "transform|22012|1\ntransform|22P02|1", '... are an issue each');
is($run->{issues}, 2, '... which the run counts');
is(scalar(keys %{ $crm->xero }), 39, '... and all others are at Xero');
is(scalar(keys %{ $crm->local }), 39, '... and here');
$run = runs('the next run', {});
is($crm->rows('SELECT count(*) FROM xero_fdw.sync_issues'), 2, '... keeps the issues');
$crm->rows(q{UPDATE crm.contacts SET account = '50' WHERE name = 'Here 7'});
$crm->xero_sets(contact('There 7')->{ContactID}, { CompanyNumber => '25' });
runs('when they are mended', { PUT => 1 });
is(issues(), '', '... they are no issues any more');
is(contact('Here 7')->{CompanyNumber} . '|' . row('There 7')->{account}, '2|4', '... and on the other side');

# Matching: nothing matches nothing, and two match nobody
$crm->clear;
$crm->create('crm', match_on => ['email'], conflict => 'xero');
$crm->xero_has({ Name => 'None there' }, { Name => 'Empty there', EmailAddress => '' }, { Name => 'Twice 1', EmailAddress => 'twice@example.com' },
	{ Name => 'Twice 2', EmailAddress => 'TWICE@example.com' }, { Name => 'Same there', EmailAddress => ' Same@Example.com' });
$crm->local_has({ name => 'None here' }, { name => 'Blank here', email => '' }, { name => 'Which', email => 'twice@example.com' }, { name => 'Same here', email => 'same@example.com ' });
$run = runs('match_on', undef);
is_deeply([ sort map { $_->{Name} } grep { $_->{Name} !~ /^Same/ } values %{ $crm->xero } ], [ 'Blank here', 'Empty there', 'None here', 'None there', 'Twice 1', 'Twice 2' ], '... who has no value matches nobody, and is created');
is(row('None there')->{name} . row('Empty there')->{name}, 'None thereEmpty there', '... on both sides');
is(lc(row('Same here')->{xero_id} // row('Same there')->{xero_id}), lc((grep { $_->{Name} =~ /^Same/ } values %{ $crm->xero })[0]{ContactID}), '... blanks and case do not count');
is(issues(), 'ambiguous|3', '... who matches two is an issue');
is($run->{issues}, 3, '... which the run counts');
is(row('Which')->{xero_id}, undef, '... and is not guessed');
$crm->rows(q{UPDATE crm.contacts SET email = 'which@example.com' WHERE name = 'Which'});
runs('... until it is another', { PUT => 1 });
is(contact('Which')->{EmailAddress}, 'which@example.com', '... which is created');

# A record that stayed without a row is found by one that comes in a later run.
foreach my $case ([ 'push', 'merge' ], [ 'both', 'new_only' ], [ 'both', 'local_to_xero' ])
{
	my ($direction, $initial) = @$case;
	$crm->clear;
	$crm->xero_has({ Name => 'Alone', EmailAddress => 'alone@example.com' });
	$crm->create('crm', direction => $direction, initial => $initial, match_on => [ $direction eq 'push' ? 'account' : 'email' ]);
	runs("$direction, $initial: a record and no rows", {});
	$crm->rows(q{SELECT xero_fdw.alter_sync('crm', match_on => '{email}')}) if $direction eq 'push';
	runs("$direction, $initial: again", {});
	$crm->rows(q{INSERT INTO crm.contacts (name, email) VALUES ('Together', 'alone@example.com')});
	runs("$direction, $initial: a row that matches it", { POST => 1 });
	is(join(' ', map { $_->{Name} } values %{ $crm->xero }), 'Together', "$direction, $initial: ... belongs to it");
}

# Xero's clock is another than ours
foreach my $seconds (86400, -172800)
{
	$crm->clear;
	$sandbox->clock($seconds);
	$crm->reconnect;
	$crm->create('crm', match_on => ['name']);
	$crm->local_has(map { { name => "Clock $_", email => 'first@example.com' } } 1 .. 2);
	runs("$seconds s: created", { PUT => 1 });
	$crm->reconnect;
	$crm->xero_sets(contact('Clock 1')->{ContactID}, { EmailAddress => 'xero@example.com' }, 10);
	$crm->rows(q{UPDATE crm.contacts SET email = 'ours@example.com'});
	$crm->xero_sets(contact('Clock 2')->{ContactID}, { EmailAddress => 'xero@example.com' }, -10);
	runs("$seconds s: edited on both sides");
	is(join(' ', map { contact("Clock $_")->{EmailAddress} } 1, 2), 'ours@example.com xero@example.com', "$seconds s: the newest wins");
	is_deeply([ $crm->differences ], [], "$seconds s: on both sides");
}
$sandbox->clock(86400);

# A dump goes on where it was taken.
$crm->clear;
$crm->xero_has(map { { Name => "Dumped $_" } } 1 .. 5);
$crm->create('crm', match_on => ['name'], initial => 'merge', on_delete => 'archive');
$crm->local_has(map { { name => "Dumped $_" } } 4 .. 8);
runs('before the dump', { PUT => 1 });
$crm->rows(q{UPDATE crm.contacts SET email = 'waits@example.com' WHERE name = 'Dumped 8'});
$crm->rows(q{SELECT xero_fdw.create_template('ours', '{accounting/Contacts}', 'pull', '{"name": "name"}')});
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
$node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-f', $dump ], 'pg_dump');
$crm->superuser->rows('CREATE DATABASE copy');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('copy'), '-f', $dump ], '... is restored');
my $copy = XeroSession->new($node, dbname => 'copy', user => 'books');
my $mark = $sandbox->mark;
is($copy->try(q{CALL xero_fdw.run_sync('crm')})->{state}, '00000', '... and its sync runs');
is_deeply([ sort map { (split / /)[0] } $sandbox->calls($mark) ], [ 'GET', 'POST' ], '... and writes what was changed before the dump');
is($copy->rows('SELECT count(*), count(xero_id) FROM crm.contacts'), '8|8', '... into the same rows');
is($copy->rows(q{INSERT INTO crm.contacts (name) VALUES ('Dumped 9'); SELECT waiting_changes FROM xero_fdw.syncs}), 1, '... whose changes are recorded');
is($copy->try(q{CALL xero_fdw.run_sync('crm')})->{state}, '00000', '... and go to Xero');
is(scalar(keys %{ $crm->xero }), 9, '... once');
is($copy->rows(q{SELECT owner = current_user, template FROM xero_fdw.sync_templates WHERE owner IS NOT NULL}), 't|ours', '... with templates that are not the extension\'s');
$copy->quit;

# An organisation goes away
$crm->clear(tenants => 2);
$crm->quit;
$crm = XeroSync->new($xero, make => '');
my @tenants = split(/\n/, $crm->superuser->rows('SELECT tenant_id FROM xero.organisation ORDER BY 1'));
foreach my $n (0, 1)
{
	$sandbox->data(object => 'Contacts', tenant_id => $tenants[$n], records => [ map { { Name => "Of $n, $_", ContactStatus => 'ACTIVE', UpdatedDateUTC => '/Date(1700000000000+0000)/' } } 1 .. 10 ]);
}
$crm->rows('ALTER TABLE crm.contacts ADD COLUMN org uuid');
$crm->create('crm', match_on => ['name'], fields => { %{ XeroSync::fields() }, org => 'tenant_id' });
runs('two organisations', {});
is($crm->rows('SELECT count(*), count(DISTINCT org) FROM crm.contacts'), '20|2', '... are both here');
$crm->rows("INSERT INTO crm.contacts (name, org) SELECT 'New ' || n, CASE WHEN n = 1 THEN '$tenants[0]'::uuid ELSE '$tenants[1]' END FROM generate_series(1, 2) AS n");
runs('a row says where it goes', { PUT => 2 });
is($crm->rows(q{SELECT count(*) FROM crm.contacts WHERE xero_id IS NOT NULL}), 22, '... and both are there');
$sandbox->control('identity', { disconnect => $tenants[1] });
$run = $crm->run('crm');
isnt($run->{state}, 'done', 'one is disconnected');
like("$run->{text} " . ($run->{error} // ''), qr/\Q$tenants[1]\E|Of|organisation/i, '... and the run says which') or diag($run->{text});
is($crm->rows('SELECT count(*) FROM crm.contacts'), 22, '... nothing is lost here');
is($crm->rows(qq{SELECT count(*) FROM crm.contacts WHERE org = '$tenants[1]' AND status = 'ACTIVE'}), 11, '... nor ended');

$crm->quit;
done_testing();
