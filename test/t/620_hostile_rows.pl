# Rows that somebody would put among those of the syncs, so that others run
# them, trip over them or write into them.
#
# Nobody but the extension may write there; so each attack ends at its first
# statement.  What it would have brought about is looked at nevertheless.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroTest;
use XeroTrust;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--contacts', 6, '--invoices', 6, '--no-limits' ],
	server => { minute_limit => 1000000, day_limit => 1000000 });
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $world = XeroTrust->new($xero);
$world->victims_run('before anything');
$world->nothing_gained('before anything');

# ---- no table of the extension's is for anybody ----

my @tables = split(/\n/, $world->rows(q{SELECT oid::regclass FROM pg_class WHERE relnamespace = 'xero_fdw'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1}));
my @views = split(/\n/, $world->rows(q{SELECT oid::regclass FROM pg_class WHERE relnamespace = 'xero_fdw'::regnamespace AND relkind IN ('v', 'm') ORDER BY 1}));
my @sequences = split(/\n/, $world->rows(q{SELECT oid::regclass FROM pg_class WHERE relnamespace = 'xero_fdw'::regnamespace AND relkind = 'S' ORDER BY 1}));
my @modes = ('ROW SHARE', 'ROW EXCLUSIVE', 'SHARE UPDATE EXCLUSIVE', 'SHARE', 'SHARE ROW EXCLUSIVE', 'EXCLUSIVE', 'ACCESS EXCLUSIVE');
foreach my $role (@XeroTrust::ATTACKERS, 'alice')
{
	my @statements;
	foreach my $table (@tables)
	{
		my $column = $world->rows("SELECT attname FROM pg_attribute WHERE attrelid = '$table'::regclass AND attnum = 1");
		push(@statements, "INSERT INTO $table DEFAULT VALUES", "UPDATE $table SET $column = $column", "DELETE FROM $table",
			"TRUNCATE $table CASCADE", "SELECT FROM $table FOR KEY SHARE");
		push(@statements, "SELECT * FROM $table") unless $table eq 'xero_fdw.sync_templates';
	}
	foreach my $view (@views)
	{
		my $column = $world->rows("SELECT attname FROM pg_attribute WHERE attrelid = '$view'::regclass AND attnum = 1");
		push(@statements, "DELETE FROM $view", "UPDATE $view SET $column = $column");
		push(@statements, "SELECT FROM $view FOR UPDATE") unless $view =~ /xero_fdw\.(objects|columns|write_errors)$/;
	}
	foreach my $relation (@tables, @views) { push(@statements, map { "LOCK TABLE $relation IN $_ MODE NOWAIT" } @modes); }
	push(@statements, map { ("SELECT nextval('$_')", "SELECT setval('$_', 1)") } @sequences);
	# a view that cannot be written to says so first, and so does a number that is
	# always generated
	is(join("\n", grep { !/^(55000|0A000|428C9)/ } $world->may($role, @statements)), '', "$role may do nothing to what is the extension's");
}
$world->nothing_gained('attempts at the tables');

# ---- rows of one's own, which another's run comes upon ----

my ($mirror, $line, $foreign) = map { $world->rows("SELECT $_") } q{'copy.contacts'::regclass::oid}, q{'xero_fdw.sync_link'::regclass::oid}, q{'xero.invoice_line_items'::regclass::oid};

# What is forged must be refused.  Tests.
sub refused
{
	my ($name, $role, @statements) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	foreach my $statement (@statements)
	{
		my $result = $world->as($role, $statement);
		like($result->{state}, $statement =~ /OVERRIDING/ ? qr/^42501$/ : qr/^(42501|428C9)$/, "$name: is refused to $role") or diag(substr($result->{text}, 0, 300));
	}
	return;
}

# A command where a type's name is expected, in the statement that takes out lines.
sub injected { my ($command) = @_; return qq{{"xero": {"columns": {}}, "local": {"columns": {"tenant_id": "uuid[]) AND false; $command; SELECT (\$2::text"}}}}; }
sub child_of
{
	my ($command, %more) = @_;
	return $world->forgery('sync', q{t.parent_id IS NOT NULL}, { owner => undef, name => \q{'evil ' || n}, parent_id => \'n', xero_table => $foreign,
		local_table => $line, columns => JSON::PP::decode_json(injected($command)), fields => { tenant_id => 'tenant_id' }, xero_key => 'tenant_id',
		local_key => [], search_path => 'public', %more }, 'generate_series(1, 40) AS n');
}

foreach my $case (
	[ 'a child of a superuser\'s mirror', 'mallory', 'ALTER ROLE mallory SUPERUSER' ],
	[ 'a child that reads', 'mallory', 'INSERT INTO evil.loot SELECT what FROM boss.secret' ],
	[ 'a child of a mirror of who sees through policies', 'mallory', 'GRANT CREATE ON SCHEMA byp TO mallory' ],
	[ 'a child that reads what is byp\'s', 'mallory', 'INSERT INTO evil.loot SELECT what FROM byp.secret' ],
	[ 'a child of a member\'s mirror', 'team', 'INSERT INTO evil.loot SELECT what FROM vic.secret' ],
	[ 'a child of a mirror of whose member one is', 'helper', 'INSERT INTO evil.loot SELECT what FROM alice.secret' ],
	[ 'a child, by the owner of a server', 'dave', 'ALTER ROLE dave SUPERUSER' ],
	[ 'a child, by who sees through policies', 'byp', 'ALTER ROLE byp SUPERUSER' ])
{
	my ($name, $role, $command) = @$case;
	# with one victim, the command is an error to all others
	my ($victim) = $command =~ /(?:boss|SUPERUSER)/ ? 'postgres' : $command =~ /\b(byp|vic|alice)\b/;
	my ($ids) = $world->rows("SELECT string_agg(sync_id::text, ',') FROM xero_fdw.sync AS s JOIN pg_class AS c ON c.oid = s.local_table WHERE c.relowner = '$victim'::regrole AND s.mirror AND s.parent_id IS NULL");
	my $statement = child_of($command);
	$statement =~ s/generate_series\(1, 40\) AS n/unnest(ARRAY[$ids]) AS n/;
	refused($name, $role, $statement);
	$world->victims_run($name, $victim);
	$world->nothing_gained($name, $role eq 'helper' ? 'alice' : ());
	$world->tidy;
}

# A mirror among those of another's schema, whose filter is a command.
foreach my $case ([ 'postgres', 'ALTER ROLE mallory SUPERUSER' ], [ 'byp', 'GRANT CREATE ON SCHEMA byp TO mallory' ], [ 'vic', 'INSERT INTO evil.loot SELECT what FROM vic.secret' ])
{
	my ($victim, $command) = @$case;
	my $role = $victim eq 'vic' ? 'team' : 'mallory';
	my $schema = $XeroTrust::VICTIMS{$victim}{mirror};
	my $name = "a mirror in ${victim}'s schema";
	refused($name, $role, $world->forgery('sync', "t.name = '$schema.contacts'", { owner => undef, name => 'evil mirror', fields => { contact_id => 'contact_id' },
		columns => { local => { columns => {} }, xero => { columns => {} } }, search_path => 'public',
		xero_filter => "coalesce(xero_fdw._mirror_run(1, NULL, NULL, '$command')::text, '') IS NOT NULL" }));
	refused($name, $role, map { $world->forgery('sync_field', "t.field = '$_'", { sync_id => \q{(SELECT max(sync_id) FROM xero_fdw.sync WHERE name = 'evil mirror')} }) } qw(contact_id tenant_id name))
	  if $world->rows(q{SELECT count(*) FROM xero_fdw.sync WHERE name = 'evil mirror'}) > 0;
	my $result = $world->session($victim)->try("CALL xero_fdw.mirror('xero', '$schema', '{contacts}')");
	is($result->{state}, '00000', "$name: $victim mirrors") or diag($result->{text});
	$world->victims_run($name, $victim);
	$world->nothing_gained($name);
	$world->tidy;
}

# A mirror that would be the parent of the lines that another mirrors next.
{
	my $name = 'a parent for lines to come';
	refused($name, 'mallory', $world->forgery('sync', q{t.name = 'copy.invoices'}, { owner => undef, name => 'evil parent',
		xero_table => $world->rows(q{SELECT 'xero.quotes'::regclass::oid}), columns => JSON::PP::decode_json(injected('ALTER ROLE mallory SUPERUSER')) }));
	my $result = $world->session('postgres')->try(q{CALL xero_fdw.mirror('xero', 'copy', '{quotes,quote_line_items}')});
	is($result->{state}, '00000', "$name: lines are mirrored") or diag($result->{text});
	is($world->rows(q{SELECT p.name FROM xero_fdw.sync AS s JOIN xero_fdw.sync AS p ON p.sync_id = s.parent_id WHERE s.name = 'copy.quote_line_items'}),
		'copy.quotes', "$name: ... and follow the right parent");
	$world->remember;
	$world->victims_run($name, 'postgres');
	$world->nothing_gained($name);
	$world->tidy;
}

# ---- a child row of one's own sync that points at another's ----

# A record that boss.contacts refuses is an issue, with what was to be written.
{
	my $name = 'issues at others\' links';
	my $own = q{(SELECT sync_id FROM xero_fdw.sync WHERE name = 'evil own')};
	my $links = join(', ', split(/\n/, $world->rows('SELECT link_id FROM xero_fdw.sync_link ORDER BY 1')));
	refused($name, 'mallory', $world->forgery('sync', q{t.name = 'boss'}, { owner => undef, name => 'evil own', local_table => $line }),
		"INSERT INTO xero_fdw.sync_issue (sync_id, link_id, kind, message) SELECT sync_id, k, 'validation', 'x' FROM xero_fdw.sync, unnest(ARRAY[$links]) AS k WHERE name = 'evil own'");
	$world->rows(q{ALTER TABLE boss.contacts ADD CONSTRAINT small CHECK (name !~ 'Too large')});
	my ($contact) = @{ $sandbox->state('Contacts') };
	my $before = $contact->{Name};
	$sandbox->change(object => 'Contacts', id => $contact->{ContactID}, set => { Name => 'Too large' });
	my $result = $world->as('postgres', q{CALL xero_fdw.run_sync('boss')});
	is($result->{state}, '00000', "$name: a run with an issue") or diag($result->{text});
	like($world->rows(q{SELECT string_agg(i::text, '') FROM xero_fdw.sync_issues AS i WHERE sync = 'boss'}), qr/Too large/, "$name: the issue is the owner's");
	$world->as('mallory', "SELECT * FROM xero_fdw.$_") foreach qw(sync_issue sync_issues sync_link sync_intent);
	is(() = $world->{heard} =~ /Too large/g, 0, "$name: nobody else reads it");
	$sandbox->change(object => 'Contacts', id => $contact->{ContactID}, set => { Name => $before });
	$world->rows('ALTER TABLE boss.contacts DROP CONSTRAINT small');
	$world->victims_run($name, 'postgres');
	$world->nothing_gained($name);
	$world->tidy;
}

{
	my $name = 'intents at others\' links';
	my $links = join(', ', split(/\n/, $world->rows('SELECT link_id FROM xero_fdw.sync_link WHERE xero_id IS NOT NULL ORDER BY 1')));
	refused($name, 'mallory', $world->forgery('sync', q{t.name = 'boss'}, { owner => undef, name => 'evil own', local_table => $line }),
		"INSERT INTO xero_fdw.sync_intent (sync_id, link_id, tenant_id, operation, \"row\", fields) SELECT sync_id, k, gen_random_uuid(), 'update', '{}', '{}'
			FROM xero_fdw.sync, unnest(ARRAY[$links]) AS k WHERE name = 'evil own'");
	$world->as($_, "UPDATE $XeroTrust::VICTIMS{$_}{schema}.contacts SET name = 'Renamed of $_' WHERE name = 'Of $_'") foreach qw(alice postgres);
	$world->victims_run($name, qw(alice postgres));
	is(join(' ', sort grep { /^Renamed/ } map { $_->{Name} } @{ $sandbox->state('Contacts') }), 'Renamed of alice Renamed of postgres', "$name: what has changed goes to Xero");
	is($world->rows(q{SELECT count(*) FROM xero_fdw.sync_issue WHERE kind = 'validation'}), 0, "$name: without an issue");
	$world->nothing_gained($name);
	$world->tidy;
}

# ---- numbers that are taken beforehand ----

foreach my $key (split(/\n/, $world->rows(q{SELECT c.relname || ' ' || a.attname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
	WHERE c.relnamespace = 'xero_fdw'::regnamespace AND c.relkind = 'r' AND a.attidentity <> '' ORDER BY 1})))
{
	my ($table, $column) = split(/ /, $key);
	my $name = "numbers of $table";
	my $series = $world->rows("SELECT format('generate_series(%s, %s)', last_value + 1, last_value + 2000) FROM " . $world->rows("SELECT pg_get_serial_sequence('xero_fdw.$table', '$column')"));
	my @statements = map {
		"INSERT INTO xero_fdw.$table ($column, sync_id, $_->[0]) $_->[1]SELECT n, s.sync_id, $_->[2] FROM $series AS n, xero_fdw.sync AS s WHERE s.name = 'evil own'"
	} map { ([ @$_[0], '', $_->[1] ], [ @$_[0], 'OVERRIDING SYSTEM VALUE ', $_->[1] ]) }
	  $table eq 'sync_change' ? [ 'operation, changed_at', q{'truncate', now()} ]
	  : $table eq 'sync_link' ? [ 'xero_id, state', q{'x' || n, 'linked'} ]
	  : $table eq 'sync_issue' ? [ 'kind, message', q{'validation', 'x'} ]
	  : $table eq 'sync_run' ? [ 'state', q{'done'} ]
	  : $table eq 'sync_intent' ? [ 'link_id, tenant_id, operation, "row", fields', q{1, gen_random_uuid(), 'update', '{}', '{}'} ] : ();
	@statements = map { $world->forgery('sync', q{t.name = 'boss'}, { owner => undef, name => \q{'evil taken ' || n}, sync_id => \'n', local_table => $line }, "$series AS n") =~ s/\) SELECT/) $_ SELECT/r } '', 'OVERRIDING SYSTEM VALUE'
	  if $table eq 'sync';
	next unless @statements;
	$world->as('mallory', $world->forgery('sync', q{t.name = 'boss'}, { owner => undef, name => 'evil own', local_table => $line }));
	refused($name, 'mallory', @statements);
	# a row that Xero cannot take is an issue
	$world->as('alice', q{INSERT INTO alice.contacts (name) VALUES ('')}) if $table eq 'sync_issue';
	$world->victims_run($name, qw(alice postgres));
	my $made = $world->each_as('alice', 'CREATE TABLE alice.late (id integer PRIMARY KEY, name text)',
		q{SELECT xero_fdw.create_sync('late', 'xero.contacts', 'alice.late', 'push', '{"name": "name"}')}, q{SELECT xero_fdw.drop_sync('late')});
	is($made->{state}, '00000', "$name: a sync can be made") or diag($made->{text});
	$world->as('alice', 'DROP TABLE IF EXISTS alice.late');
	$world->nothing_gained($name);
	$world->tidy;
}
is($world->rows(q{SELECT string_agg(attrelid::regclass || '.' || attname, ' ') FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid
	WHERE relnamespace = 'xero_fdw'::regnamespace AND relkind = 'r' AND attidentity = 'd'}), '', 'all numbers are always generated');

# ---- the trigger that records changes, on tables of one's own ----

{
	my $name = 'a trigger of one\'s own';
	$world->rows('CREATE SCHEMA dave AUTHORIZATION dave');
	$world->remember;
	my @ids = split(/\n/, $world->rows('SELECT sync_id FROM xero_fdw.sync ORDER BY 1'));
	my $before = $world->rows('SELECT count(*) FROM xero_fdw.sync_change');
	$world->as('dave', q{CREATE TYPE dave.pair AS (a integer, b text)});
	my $n = 0;
	foreach my $arguments ((map { "'$_', '{id}', '{name}', '{name}'" } @ids), (map { "'$_'" } @ids), q{}, q{''}, q{'x', '{id}', '{name}', '{}'}, q{'99999999999999999999', '{id}', '{}', '{}'}, q{'-1', '{id}', '{name}', '{id}'}, q['1', '{', '{', '{'], q{'1', '{}', '{}', '{}'},
		q{'1', '{NULL}', '{NULL}', '{NULL}'}, q{'1', '{{id},{name}}', '{name}', '{{id},{name}}'}, q{'1', '{tableoid,ctid,xmin}', '{ctid}', '{ctid}'}, q{'1', '{p,p,p}', '{p}', '{p,p}'}, q{'1', '{id}'}, q{'1', '', '', ''}, q{'1', '{id}', '{name}', '{}', 'more'}, q{'1; DROP TABLE x', '{id}', '{name}', '{}'})
	{
		my $table = 'dave.forged' . ++$n;
		$world->as('dave', "CREATE TABLE $table (id integer PRIMARY KEY, name text, p dave.pair)");
		foreach my $when ('AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW', 'BEFORE INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW', 'AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH STATEMENT', 'AFTER TRUNCATE ON %s FOR EACH STATEMENT')
		{
			$world->as('dave', 'CREATE OR REPLACE TRIGGER forged ' . sprintf($when, $table) . " EXECUTE FUNCTION xero_fdw.record_change($arguments)");
			$world->as('dave', $_) foreach "INSERT INTO $table VALUES (1, 'a', (1, 'b'))", "UPDATE $table SET id = id + 1, name = 'b'", "DELETE FROM $table", "TRUNCATE $table";
		}
	}
	is($world->rows('SELECT count(*) FROM xero_fdw.sync_change'), $before, "$name: records nothing of another's sync");
	is($world->rows(q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'dave'}), 1, "$name: the session has lived on");
	$world->victims_run($name, qw(alice postgres));
	$world->nothing_gained($name);
	# what belongs to events is not called
	foreach my $function (split(/\n/, $world->rows(q{SELECT oid::regproc FROM pg_proc WHERE pronamespace = 'xero_fdw'::regnamespace AND prorettype IN ('event_trigger'::regtype, 'trigger'::regtype)})))
	{
		foreach my $statement ("DO \$\$BEGIN PERFORM $function(); END\$\$", "SELECT FROM $function()", "SELECT $function() IS NULL")
		{
			isnt($world->as('mallory', $statement)->{state}, '00000', "mallory cannot $statement");
		}
	}
}

# ---- what somebody without any right may store ----

{
	my $result = $world->as('mallory', q{DO $$BEGIN FOR i IN 1 .. 2000 LOOP
		PERFORM xero_fdw.create_template('many ' || i, '{accounting/Contacts}', 'pull', '{"contact_id": "contact_id", "name": "name"}', description => repeat('x', 1000)); END LOOP; END$$});
	isnt($result->{state}, '00000', 'nobody fills the disk with templates');
	$world->rows(q{DELETE FROM xero_fdw.sync_templates WHERE owner IS NOT NULL AND owner::text = 'mallory'});
}

# ---- templates ----

{
	my $name = 'a template of somebody else';
	my $insert = q{INSERT INTO xero_fdw.sync_templates (template, objects, direction, fields) VALUES
		('%s', '{accounting/Contacts}', 'pull', '{"contact_id": "contact_id", "name": {"xero": "name", "to_local": "evil.run(name)"}}')};
	refused($name, 'mallory', sprintf($insert, 'contacts'), sprintf($insert, 'crm people'),
		q{UPDATE xero_fdw.sync_templates SET fields = '{"name": {"to_local": "evil.run(name)"}}'}, 'DELETE FROM xero_fdw.sync_templates');
	$world->as('postgres', 'CREATE TABLE boss.people (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, contact_id uuid, name text, email text)');
	foreach my $template ('contacts', 'crm people')
	{
		my $result = $world->as('postgres', "SELECT xero_fdw.create_sync_from('$template', 'people', 'boss.people', 'xero.contacts')");
		isnt($result->{state}, '00000', "$name: another does not get it by its name ($template)");
		$world->as('postgres', q{CALL xero_fdw.run_sync('people')});
		$world->as('postgres', q{SELECT xero_fdw.drop_sync('people')});
	}
	my $result = $world->each_as('postgres', q{SELECT xero_fdw.create_sync_from('crm contacts', 'people', 'boss.people', 'xero.contacts')},
		q{CALL xero_fdw.run_sync('people')}, q{SELECT xero_fdw.drop_sync('people')});
	is($result->{state}, '00000', "$name: ours are ours") or diag($result->{text});
	# Everybody has templates of their own, and of others those that they name.
	my $evil = q{SELECT xero_fdw.create_template('%s', '{accounting/Contacts}', 'pull', '{"contact_id": "contact_id", "name": {"xero": "name", "to_local": "evil.run(name)"}}')};
	foreach my $template ('crm contacts', 'people', 'salesforce accounts')
	{
		is($world->as('mallory', sprintf($evil, $template))->{state}, '00000', "$name: mallory has one of the name $template");
		$world->as('postgres', "SELECT xero_fdw.create_sync_from('$template', 'people', 'boss.people', 'xero.contacts')");
		$world->as('postgres', q{CALL xero_fdw.run_sync('people')});
		$world->as('postgres', q{SELECT xero_fdw.drop_sync('people')});
		$world->nothing_gained("$name: of the name $template");
	}
	is($world->as('alice', sprintf($evil, 'people') =~ s/evil\.run\(name\)/upper(name)/r)->{state}, '00000', "$name: alice has one of that name, too");
	like($world->as('alice', q{SELECT xero_fdw.drop_template('salesforce accounts')})->{state}, qr/^(42501|42704)$/, "$name: only its owner drops one");
	is($world->rows(q{SELECT count(*) FROM xero_fdw.sync_templates WHERE template = 'salesforce accounts'}), 2, "$name: ... and it is there");
	is($world->as('mallory', sprintf($evil, 'people'))->{state}, '00000', "$name: its owner changes it");
	is($world->rows(q{SELECT count(*) FROM xero_fdw.sync_templates WHERE template = 'people' AND fields::text LIKE '%upper%'}), 1, "$name: ... and no other's");
	$world->as('postgres', 'DROP TABLE boss.people');
	$world->nothing_gained($name);
}

# ---- rows of others are nothing to those who look ----

# A function in a condition of one's own sees no more rows than one may see.
foreach my $role (qw(mallory team dave byp helper))
{
	$world->as($role, q{CREATE FUNCTION pg_temp.leak(anyelement) RETURNS boolean COST 0.0000001 LANGUAGE plpgsql AS $$BEGIN RAISE NOTICE 'leaked: %', $1; RETURN true; END$$});
	my $told = '';
	foreach my $view (qw(syncs sync_runs sync_issues connections))
	{
		my $result = $world->as($role, "SELECT * FROM xero_fdw.$view AS v WHERE pg_temp.leak(v::text)");
		$told .= "$result->{rows}\n$result->{text}";
	}
	my %may = (helper => 'alice', byp => 'byp');
	my @shown = grep { my $victim = $XeroTrust::VICTIMS{$_}; ($may{$role} // '') ne $_ && $told =~ /[(,]"?(?:$victim->{sync},|$victim->{mirror}\.)/ } @XeroTrust::VICTIMS;
	is(join(' ', @shown), '', "$role sees no sync of others in the views");
}

# ---- what is announced ----

{
	$world->as($_, 'LISTEN xero_fdw_sync') foreach qw(mallory byp);
	$world->as('postgres', q{INSERT INTO boss.contacts (name) VALUES ('Announced')});
	$world->as('postgres', q{CALL xero_fdw.run_sync('boss')});
	my $heard = $world->as('mallory', 'SELECT 1');
	my @told = "$heard->{rows}$heard->{text}" =~ /with payload "(\{.*\})" received/g;
	cmp_ok(scalar @told, '>', 0, 'the end of a run is announced');
	is(join(' ', grep { !/^\{"run_id": ?\d+\}$/ } @told), '', '... and no more than its number');
}
# The expressions of a sync of whose owner's rights one has.
foreach my $role (qw(helper mallory byp))
{
	my $own = "(SELECT sync_id FROM xero_fdw.sync WHERE name = 'customers')";
	refused('an expression of another', $role,
		"UPDATE xero_fdw.sync_field SET to_local = 'evil.run(''field'')' WHERE field = 'note'",
		"UPDATE xero_fdw.sync SET xero_filter = 'evil.run(''filter'') IS NOT NULL'",
		"UPDATE xero_fdw.sync SET search_path = 'evil'",
		"DELETE FROM xero_fdw.sync_link WHERE sync_id IN $own", "DELETE FROM xero_fdw.sync_position",
		"INSERT INTO xero_fdw.sync_inbox (sync_id, tenant_id, xero_id) SELECT sync_id, gen_random_uuid(), 'x' FROM xero_fdw.sync");
}
$world->victims_run('expressions of others');
$world->nothing_gained('expressions of others', 'alice');
$world->rows(q{UPDATE xero_fdw.sync_field SET to_local = 'coalesce(contact_number, ''secret of alice'')' WHERE to_local LIKE 'evil%'});

$world->nothing_gained('at the end');

$world->quit;
done_testing();
