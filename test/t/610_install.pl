# Names of ours that mean what others have made: while the extension is created,
# and when what it has is used, by templates, runs, mirrors and views.
#
# A trap is a function, operator, type or relation of a name that our SQL uses,
# which says in the server's log that it was used.  In one database they are
# the same as PostgreSQL's own and come first in the path; in another they fit
# better than PostgreSQL's, and lie in "public", as anybody could place them
# before PostgreSQL 15.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSandbox;
use XeroSession;
use XeroTest;

my $sandbox = XeroSandbox->new('--seed', 1, '--contacts', 5, '--invoices', 5, '--no-limits');
my $node = XeroTest::new_node('main');
my $root = XeroSession->new($node);
$root->rows(q{CREATE ROLE dev LOGIN; GRANT CREATE ON DATABASE postgres TO dev; CREATE ROLE ctor LOGIN});

# Ours as one text; the words and the operators that it uses.
my ($file) = glob('xero_fdw--*.sql') or die 'no script of the extension here';
my $script = slurp_file($file);
my %words = map { lc($_) => 1 } $script =~ /[A-Za-z_]\w+/g;
my %signs = map { $_ => 1 } $script =~ m{[-+*/<>=~!@#%^&|`?]+}g;

my $read = 0;
sub traps
{
	my $text = slurp_file($node->logfile);
	my $new = substr($text, $read);
	$read = length $text;
	my %found = map { $_ => 1 } $new =~ /LOG:  (?:\w{5}: )?trap: (.*)/g;
	return join("\n", sort keys %found);
}

# ---- the schema is there already ----

my $dev = XeroSession->new($node, user => 'dev');
$dev->rows(q{CREATE SCHEMA xero_fdw;
	CREATE FUNCTION xero_fdw.format(text, text) RETURNS text LANGUAGE plpgsql AS
		$$BEGIN RAISE LOG 'trap: format'; EXECUTE 'ALTER ROLE dev SUPERUSER'; RETURN pg_catalog.format($1, $2); END$$});
foreach my $statement ('CREATE EXTENSION xero_fdw', 'CREATE EXTENSION IF NOT EXISTS xero_fdw', 'CREATE EXTENSION xero_fdw CASCADE',
	'CREATE EXTENSION xero_fdw SCHEMA xero_fdw', 'CREATE EXTENSION xero_fdw SCHEMA pg_catalog', 'CREATE EXTENSION xero_fdw SCHEMA public')
{
	my $result = $root->try($statement);
	like($result->{state}, qr/^(42P06|0A000)$/, "$statement: is refused where the schema is there") or diag($result->{text});
}
is($root->rows(q{SELECT count(*) FROM pg_extension WHERE extname = 'xero_fdw'}), 0, 'there is no extension');
is($root->rows(q{SELECT rolsuper FROM pg_roles WHERE rolname = 'dev'}), 'f', '... and no other superuser');
is(traps(), '', '... and nothing of the schema was used');
isnt($dev->try('CREATE EXTENSION xero_fdw')->{state}, '00000', 'only superusers create it');
$dev->rows('DROP SCHEMA xero_fdw CASCADE');
isnt($dev->try('CREATE EXTENSION xero_fdw')->{state}, '00000', '... also where nothing is in the way');
isnt($root->try('CREATE EXTENSION xero_fdw SCHEMA public')->{state}, '00000', 'there is one schema for it');
$root->rows('CREATE EXTENSION xero_fdw; DROP EXTENSION xero_fdw');

# ---- traps ----

# Statements that set the traps in a schema: of each function with its very
# arguments or, "closer", with arguments that fit text, varchar, uuid and numbers
# better than those of PostgreSQL's.
sub set_traps
{
	my ($session, $schema, $closer) = @_;
	$session->rows(qq{CREATE FUNCTION $schema.trapped(what pg_catalog.text) RETURNS pg_catalog.bool LANGUAGE plpgsql SET search_path = pg_catalog AS
		\$\$BEGIN RAISE LOG 'trap: %', what; RETURN true; END\$\$});
	my @statements;
	my $words = join(',', map { "'$_'" } grep { !/^(trapped)$/ } sort keys %words);
	my @functions = map { [ split /\t/ ] } split(/\n/, $session->rows(qq{
		SELECT DISTINCT p.proname, pg_catalog.pg_get_function_result(p.oid),
			coalesce((SELECT string_agg(pg_catalog.format_type(a, NULL), ',' ORDER BY n) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS u (a, n)), ''),
			p.provariadic = '"any"'::regtype
		FROM pg_proc AS p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname IN ($words) ORDER BY 1, 3})
		=~ s/\|/\t/gr);
	my %made;
	foreach my $function (@functions)
	{
		my ($name, $result, $arguments, $any) = @$function;
		my @arguments = split(/,/, $arguments);
		my @signatures = $closer ? () : ([@arguments]);
		if ($any eq 't' || $arguments =~ /\b(any\w*)\b|"any"/)
		{
			my @fixed = grep { !/any/ } @arguments;
			push(@signatures, map { my $type = $_; map { [ @fixed, ($type) x $_ ] } 1 .. 10 } qw(text uuid)) if $any eq 't';
			push(@signatures, map { my $type = $_; [ map { s/"any"|any\w*(?<!array)$/$type/r =~ s/anyarray|anycompatiblearray/${type}[]/r } @arguments ] } qw(text varchar uuid integer bigint jsonb numeric));
		}
		push(@signatures, [ map { s/^text$/varchar/r } @arguments ], [ map { s/^text$/bpchar/r } @arguments ]) if $arguments =~ /\btext\b/;
		foreach my $signature (@signatures)
		{
			my $list = join(', ', map { qualified_type($_) } @$signature);
			next if $made{"$name($list)"}++ || $list =~ /internal|cstring|any|trigger|unknown|"char"\[\]/;
			my $returns = $result =~ /^(TABLE|SETOF record|record|trigger|internal|void|any|SETOF any|cstring|event_trigger|language_handler)/i ? 'pg_catalog.text' : ($result =~ /^SETOF (.*)/ ? 'SETOF ' . qualified_type($1) : qualified_type($result));
			push(@statements, "CREATE FUNCTION $schema.\"$name\"($list) RETURNS $returns LANGUAGE plpgsql AS \$trap\$BEGIN PERFORM $schema.trapped('$name($list)'); RETURN"
				  . ($returns =~ /^SETOF/ ? '' : ' NULL') . '; END$trap$');
		}
	}
	my @operators = map { [ split /\t/ ] } split(/\n/, $session->rows(qq{
		SELECT o.oprname || E'\t' || CASE WHEN o.oprleft = 0 THEN '' ELSE pg_catalog.format_type(o.oprleft, NULL) END || E'\t' || pg_catalog.format_type(o.oprright, NULL) || E'\t' || pg_catalog.format_type(o.oprresult, NULL)
		FROM pg_operator AS o WHERE o.oprnamespace = 'pg_catalog'::regnamespace ORDER BY 1}));
	my $n = 0;
	foreach my $operator (@operators)
	{
		my ($name, $left, $right, $result) = @$operator;
		next unless $signs{$name} || $name =~ /^(=|<>|<|>|<=|>=|~~)$/;
		my @pairs = $closer ? () : ([ $left, $right ]);
		if ("$left $right" =~ /\btext\b|any/)
		{
			foreach my $type (qw(text varchar uuid jsonb text[] varchar[] uuid[] mood))
			{
				my $element = $type =~ s/\[\]//r;
				my @pair = map { my $t = $_; $t eq 'text' && $type eq 'varchar' ? 'varchar'
					: $t =~ /^any(compatible)?array$/ ? "${element}[]" : $t eq 'anyenum' ? 'public.mood' : $t =~ /^any/ ? $type : $t } ($left, $right);
				push(@pairs, [@pair]);
			}
		}
		foreach my $pair (@pairs)
		{
			my ($l, $r) = map { $_ eq '' ? '' : qualified_type($_) } @$pair;
			next if "$l $r" =~ /any|internal|cstring|unknown/ || $made{"$l $name $r"}++;
			my $returns = $result =~ /any/ ? 'pg_catalog.text' : qualified_type($result);
			$n++;
			push(@statements, "CREATE FUNCTION $schema.trap_of_$n(" . join(', ', grep { $_ ne '' } $l, $r) . ") RETURNS $returns LANGUAGE plpgsql AS \$trap\$BEGIN PERFORM $schema.trapped('$l $name $r'); RETURN NULL; END\$trap\$",
				"CREATE OPERATOR $schema.$name (" . ($l eq '' ? '' : "LEFTARG = $l, ") . "RIGHTARG = $r, FUNCTION = $schema.trap_of_$n)");
		}
	}
	if (!$closer)
	{
		push(@statements, map { "CREATE DOMAIN $schema.\"$_\" AS pg_catalog.\"$_\" CHECK ($schema.trapped('type $_'))" }
			  split(/\n/, $session->rows(qq{SELECT typname FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typelem = 0 AND typname IN ($words) AND typname NOT IN ('trapped', 'bool')})));
		push(@statements, map { "CREATE VIEW $schema.\"$_\" AS SELECT * FROM pg_catalog.\"$_\" WHERE $schema.trapped('relation $_')" }
			  split(/\n/, $session->rows(qq{SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v') AND relname IN ($words)})));
	}
	my $failed = 0;
	my @failures;
	$session->rows('SET search_path = pg_catalog, pg_temp');
	foreach my $statement (@statements)
	{
		my $result = $session->try($statement);
		push(@failures, "$statement\n$result->{text}") if $result->{state} ne '00000';
	}
	$session->rows(q{SET search_path = "$user", public});
	note(scalar(@statements) . ' statements set traps; failed: ' . scalar(@failures) . "\n" . join("\n", @failures[ 0 .. ($#failures < 5 ? $#failures : 5) ]));
	cmp_ok(@statements - @failures, '>', 300, "traps are set in $schema");
	cmp_ok(scalar @failures, '<', @statements / 5, '... nearly all that were meant');
	return;
}

sub qualified_type
{
	my ($type) = @_;
	return $type if $type =~ /^(pg_catalog|public)\.|^(character|timestamp|time|bit|double|interval|boolean|integer|bigint|smallint|numeric|real|any|"any"|"char")/;
	return "pg_catalog.$type" =~ s/^pg_catalog\.mood/public.mood/r;
}

# ---- all that is ours, in a database with traps ----

my %templates = ('salesforce contacts' => 'contacts', 'salesforce accounts' => 'contacts', 'salesforce opportunities' => 'invoices', 'crm contacts' => 'contacts',
	'warehouse payments' => 'payments', 'stock items' => 'items', 'order invoices' => 'invoices', 'employees' => 'payroll_au_employees', 'chart of accounts' => 'accounts');

sub walk
{
	my ($name, $session, $path) = @_;
	my $url = $sandbox->url;
	is($session->try('CREATE EXTENSION xero_fdw')->{state}, '00000', "$name: the extension is created");
	is(traps(), '', "$name: ... and uses nobody else's");
	is($session->rows(q{SELECT DISTINCT pg_catalog.pg_describe_object(d.refclassid, d.refobjid, 0)
		FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_depend AS e ON e.classid OPERATOR(pg_catalog.=) d.classid AND e.objid OPERATOR(pg_catalog.=) d.objid AND e.deptype OPERATOR(pg_catalog.=) 'e'
		WHERE pg_catalog.pg_describe_object(d.refclassid, d.refobjid, 0) OPERATOR(pg_catalog.~) '(^| )(trap|public)\.' OR d.refobjid OPERATOR(pg_catalog.=) 'public'::pg_catalog.regnamespace ORDER BY 1}),
		'', "$name: ... and nothing of it means theirs");
	$session->rows("SET search_path = \"\$user\", public");
	$session->rows("CREATE SERVER xero FOREIGN DATA WRAPPER xero_fdw OPTIONS (api_url '$url', identity_url '$url', minute_limit '1000000', day_limit '1000000');
		CREATE USER MAPPING FOR PUBLIC SERVER xero OPTIONS (access_token 'sandbox-token'); CREATE SCHEMA xero; CREATE SCHEMA payroll;
		IMPORT FOREIGN SCHEMA accounting FROM SERVER xero INTO xero; IMPORT FOREIGN SCHEMA payroll_au LIMIT TO (employees) FROM SERVER xero INTO payroll;
		CREATE SCHEMA shop; CREATE SCHEMA copy");
	traps();
	$session->rows("SET search_path = $path");

	my %seen;
	foreach my $template (split(/\n/, $session->rows('SELECT template FROM xero_fdw.sync_templates')))
	{
		$seen{$template} = 1;
		my $remote = $templates{$template} // '';
		isnt($remote, '', "$name: template $template is known here");
		$remote = $remote eq 'payroll_au_employees' ? 'payroll.employees' : "xero.$remote";
		(my $table = "shop.$template") =~ s/ /_/g;
		# all columns that the template has a use for, as varchar where Xero has a text
		my @columns = split(/\n/, $session->rows(qq{
			SELECT pg_catalog.format('%I %s', f.key, coalesce((SELECT CASE WHEN a.atttypid OPERATOR(pg_catalog.=) 'pg_catalog.text'::pg_catalog.regtype THEN 'varchar(200)' ELSE pg_catalog.format_type(a.atttypid, -1) END
					FROM pg_catalog.pg_attribute AS a WHERE a.attrelid OPERATOR(pg_catalog.=) '$remote'::pg_catalog.regclass
						AND NOT f.value OPERATOR(pg_catalog.?) 'to_local'
						AND a.attname OPERATOR(pg_catalog.=) coalesce(f.value OPERATOR(pg_catalog.->>) 'xero', f.value OPERATOR(pg_catalog.#>>) '{}')), 'varchar(200)'))
			FROM xero_fdw.sync_templates AS t, pg_catalog.jsonb_each(t.fields) AS f WHERE t.template OPERATOR(pg_catalog.=) '$template'
				AND NOT (f.value OPERATOR(pg_catalog.?) 'to_xero' AND NOT f.value OPERATOR(pg_catalog.?) 'to_local')}));
		push(@columns, 'description varchar(100)', 'quantity pg_catalog.numeric', 'unit_price pg_catalog.numeric', 'account_code varchar(10)') if $template eq 'order invoices';
		$session->rows("CREATE TABLE $table (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, " . join(', ', @columns) . ')');
		my $result = $session->try("SELECT xero_fdw.create_sync_from('$template', 'sync of $template', '$table', '$remote')");
		is($result->{state}, '00000', "$name: create_sync_from $template") or diag($result->{text});
		is(traps(), '', "$name: ... uses nobody else's");
		foreach my $call ("CALL xero_fdw.run_sync('sync of $template')", "SELECT * FROM xero_fdw.plan_sync('sync of $template')", "CALL xero_fdw.run_sync('sync of $template')",
			"SELECT * FROM xero_fdw.audit_sync('sync of $template')", "SELECT xero_fdw.alter_sync('sync of $template', conflict => 'manual')", "CALL xero_fdw.run_sync('sync of $template')")
		{
			$result = $session->try($call);
			is($result->{state}, '00000', "$name: $call") or diag($result->{text});
			is(traps(), '', "$name: ... uses nobody else's");
		}
	}
	is(join(' ', sort keys %seen), join(' ', sort keys %templates), "$name: all templates were tried");

	# syncs of one's own, without expressions, of types for which PostgreSQL uses the
	# operators of others
	$session->rows(q{CREATE TYPE public.mood AS ENUM ('ok', 'sad')}) if $session->rows(q{SELECT pg_catalog.to_regtype('public.mood') IS NULL}) eq 't';
	$session->rows(q{CREATE TABLE shop.people (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, contact_id pg_catalog.uuid, name varchar(100), email varchar(100), tags varchar[], feeling public.mood DEFAULT 'ok');
		CREATE TABLE shop.coded (code varchar(50) PRIMARY KEY, contact_id pg_catalog.uuid, name varchar(100), feeling public.mood DEFAULT 'ok');
		CREATE TABLE shop.felt (feeling public.mood, n varchar(10), name varchar(100), PRIMARY KEY (feeling, n));
		INSERT INTO shop.coded (code, name) VALUES ('C-1', 'Coded 1'), ('C-2', 'Coded 2'); INSERT INTO shop.felt VALUES ('ok', 'a', 'Felt a'), ('sad', 'b', 'Felt b');
		CREATE SCHEMA own; CREATE SCHEMA owncopy});
	my $lines = $session->rows(q{SELECT object FROM xero_fdw.objects WHERE table_name OPERATOR(pg_catalog.=) 'invoice_line_items'});
	$session->rows(q{CREATE FOREIGN TABLE own.contacts (tenant_id pg_catalog.uuid, contact_id pg_catalog.uuid, name varchar(255), email_address varchar(255), first_name char(40), updated_date_utc timestamptz) SERVER xero OPTIONS (object 'accounting/Contacts');
		CREATE FOREIGN TABLE own.invoices (tenant_id pg_catalog.uuid, invoice_id pg_catalog.uuid, reference varchar(255), status varchar(20), line_items pg_catalog.jsonb, updated_date_utc timestamptz) SERVER xero OPTIONS (object 'accounting/Invoices');
		CREATE FOREIGN TABLE own.invoice_line_items (tenant_id pg_catalog.uuid, invoice_id pg_catalog.uuid, line_item_id pg_catalog.uuid, description varchar(4000), quantity numeric) SERVER xero OPTIONS (object 'LINES')} =~ s/timestamptz/timestamp with time zone/gr =~ s/LINES/$lines/r);
	my $change = 0;
	my $edit = sub {
		my ($contact) = @{ $sandbox->state('Contacts') };
		$sandbox->change(object => 'Contacts', id => $contact->{ContactID}, set => { FirstName => 'Changed ' . ++$change });
		my ($invoice) = @{ $sandbox->state('Invoices') };
		$sandbox->change(object => 'Invoices', id => $invoice->{InvoiceID}, set => { Reference => 'Changed ' . $change });
	};
	my @steps = (q{SELECT xero_fdw.create_sync('people', 'xero.contacts', 'shop.people', 'both', '{"contact_id": "contact_id", "name": "name", "email": "email_address"}', match_on => '{name}', on_delete => 'archive', xero_filter => '')},
		q{SELECT xero_fdw.create_sync('coded', 'xero.contacts', 'shop.coded', 'both', '{"contact_id": "contact_id", "name": "name", "code": "account_number"}', match_on => '{code,name}', initial => 'local_to_xero')},
		q{SELECT xero_fdw.create_sync('felt', 'xero.contacts', 'shop.felt', 'push', '{"name": "name", "feeling": {"xero": "contact_number", "direction": "to_xero", "to_xero": "feeling::varchar"}}', match_on => '{name}')},
		q{CALL xero_fdw.run_sync('people')}, q{CALL xero_fdw.run_sync('coded')}, q{CALL xero_fdw.run_sync('felt')},
		q{INSERT INTO shop.people (name) VALUES (pg_catalog.concat('Ann of ', pg_catalog.random()))}, q{UPDATE shop.people SET email = 'ann@example.com'},
		q{UPDATE shop.coded SET name = pg_catalog.concat(name, ', new')}, q{UPDATE shop.felt SET name = pg_catalog.concat(name, ', new'), feeling = 'sad'}, $edit,
		q{CALL xero_fdw.run_sync('people')}, q{CALL xero_fdw.run_sync('coded')}, q{CALL xero_fdw.run_sync('felt')}, q{SELECT * FROM xero_fdw.audit_sync('felt')}, q{SELECT * FROM xero_fdw.audit_sync('coded')},
		q{SELECT xero_fdw.alter_sync('people', conflict => 'manual')}, q{DELETE FROM shop.people WHERE name OPERATOR(pg_catalog.~) 'Ann of'}, q{CALL xero_fdw.run_sync('people')},
		q{CALL xero_fdw.mirror('xero', 'copy', '{contacts,invoices,invoice_line_items}')}, q{CALL xero_fdw.mirror('own', 'owncopy', '{contacts,invoices,invoice_line_items}')}, $edit,
		q{CALL xero_fdw.run_sync('copy.contacts')}, q{CALL xero_fdw.run_sync('copy.invoices')}, q{CALL xero_fdw.run_sync('owncopy.contacts')}, q{CALL xero_fdw.run_sync('owncopy.invoices')}, $edit,
		q{SELECT * FROM xero_fdw.plan_sync('owncopy.contacts')}, q{SELECT * FROM xero_fdw.audit_sync('owncopy.contacts')}, q{CALL xero_fdw.run_syncs()},
		(map { "SELECT * FROM xero_fdw.$_" } qw(syncs sync_runs sync_issues sync_templates objects columns connections write_errors budget requests progress)),
		q{SELECT xero_fdw.drop_sync('people')}, q{SELECT * FROM xero_fdw.check('xero')});
	foreach my $step (@steps)
	{
		if (ref $step) { $step->(); next; }
		my $result = $session->try($step);
		is($result->{state}, '00000', "$name: " . substr($step, 0, 60)) or diag($result->{text});
		# the words of these statements are the user's, but what they set off is not
		is(traps(), '', $step =~ /^(INSERT|UPDATE|DELETE)/ ? "$name: ... and what records it uses nobody else's" : "$name: ... uses nobody else's");
	}
	is($session->rows(q{SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', sync, state, error), E'\n') FROM xero_fdw.sync_runs WHERE state OPERATOR(pg_catalog.<>) 'done'}), '', "$name: all runs are done");
	is($session->try('DROP EXTENSION xero_fdw CASCADE')->{state}, '00000', "$name: the extension is dropped");
	is(traps(), '', "$name: ... uses nobody else's");
	return;
}

# First in the path, and the same
$root->rows('CREATE DATABASE first');
my $first = XeroSession->new($node, dbname => 'first');
$first->rows('CREATE SCHEMA trap; GRANT USAGE ON SCHEMA trap TO PUBLIC');
set_traps($first, 'trap', 0);
# the traps work
$first->rows(q{SET search_path = trap, public, pg_catalog});
traps();
foreach my $use (q{lower('X'::pg_catalog.text)}, q{'a'::pg_catalog.text = 'b'::pg_catalog.text}, q{'c'::text}, q{EXISTS (SELECT FROM pg_class)})
{
	$first->try("SELECT $use");
	isnt(traps(), '', "traps are heard: $use");
}
walk('first in the path', $first, 'trap, public, pg_catalog');
$first->quit;

# Closer, and in public
$root->rows('CREATE DATABASE closer');
my $closer = XeroSession->new($node, dbname => 'closer');
$closer->rows(q{CREATE TYPE public.mood AS ENUM ('ok', 'sad'); GRANT CREATE ON SCHEMA public TO ctor});
my $ctor = XeroSession->new($node, dbname => 'closer', user => 'ctor');
set_traps($ctor, 'public', 1);
$ctor->quit;
traps();
$closer->try(q{SELECT concat_ws(' '::text, 'a'::text, 'b'::text), 'a'::varchar = 'b'::varchar});
like(traps(), qr/concat_ws/, 'traps are heard');
walk('closer', $closer, '"$user", public');
$closer->quit;

$_->quit foreach $root, $dev;
done_testing();
