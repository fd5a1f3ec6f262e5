# What of the extension is for everybody: all of it stands in the lists of this
# file, with the reason.  What is not there is for nobody but the extension.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroTest;

my $node = XeroTest::new_node('main');
$node->safe_psql('postgres', 'CREATE EXTENSION xero_fdw; CREATE ROLE nobody LOGIN');
sub rows { my ($sql) = @_; return split(/\n/, $node->safe_psql('postgres', $sql)); }

# Functions and procedures that everybody may call, and why that is safe.
my %for_all = map { $_ => 1 } (
	# Entry points: C functions that become the extension's owner after they have
	# noted who calls, and act for that role.
	qw(create_sync alter_sync drop_sync confirm_sync create_sync_from create_template drop_template
	  plan_sync audit_sync retry_issue resolve_conflict schedule_sync unschedule_sync run_sync run_syncs mirror),
	# They look at the caller's rights on the server or its mapping themselves.
	qw(set_client_secret authorize_url complete_authorization refresh_token disconnect check clear_block),
	# A row of a trigger's own table, recorded for the sync of that table.
	qw(record_change),
	# They cannot be called by a statement, or check what only superusers make.
	qw(forget_dropped forget_jobs forget_all_jobs xero_fdw_handler xero_fdw_validator),
	# What Xero is, and which library is loaded.
	qw(version _catalog_objects _catalog_columns _modified_since),
	# What this session itself has not been able to write, of the current role.
	qw(_write_errors),
	# They stand in statements that run as the user: lines of a document as JSON that
	# the user has; and the schedule of a sync, as far as the user may read pg_cron's.
	qw(_lines _schedule));

# Relations that everybody may read, and why.
my %readable = (
	objects => 'what Xero is', columns => 'what Xero is',
	connections => 'by its own condition: the mappings that are in force for oneself',
	write_errors => 'by its function: rows of the present role',
	syncs => 'by its own condition: where one has the owner\'s rights', sync_runs => 'as syncs', sync_issues => 'as syncs',
	sync_templates => 'definitions without data, whose owner is shown');

# ---- functions ----

my @functions = rows(q{
	SELECT DISTINCT p.proname || '|' || p.oid::regprocedure FROM pg_proc AS p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
	WHERE p.pronamespace = 'xero_fdw'::regnamespace AND a.grantee = 0 ORDER BY 1});
my @unknown = grep { my ($name) = split(/\|/); !$for_all{$name} } @functions;
is(join("\n", map { s/.*\|//r } @unknown), '', 'no other function is for everybody');
is(join("\n", rows(q{
	SELECT p.oid::regprocedure || ' ' || a.grantee::regrole FROM pg_proc AS p, aclexplode(p.proacl) AS a
	WHERE p.pronamespace = 'xero_fdw'::regnamespace AND a.grantee NOT IN (0, p.proowner)
		AND NOT (a.grantee = 'pg_read_all_stats'::regrole AND p.proname IN ('_requests', '_progress', '_budget', '_audit_status'))
		AND NOT a.grantee = 'pg_database_owner'::regrole ORDER BY 1})), '', '... nor for somebody');
is(join("\n", rows(q{SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'xero_fdw'::regnamespace AND proname ~ '^_'
		AND has_function_privilege('nobody', oid, 'EXECUTE')
		AND proname NOT IN ('_catalog_objects', '_catalog_columns', '_modified_since', '_write_errors', '_lines', '_schedule') ORDER BY 1})),
	'', 'what is internal is not executable');

# Entry points are C, since they begin as the caller, under the caller's path.
is(join("\n", rows(q{
	SELECT p.oid::regprocedure || ' ' || l.lanname FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
	WHERE p.pronamespace = 'xero_fdw'::regnamespace AND a.grantee = 0 AND l.lanname <> 'c' AND p.proname <> '_schedule' ORDER BY 1})),
	'', 'what is for everybody is in C');
is(join("\n", rows(q{SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'xero_fdw'::regnamespace AND prosecdef ORDER BY 1})), '',
	'no function is SECURITY DEFINER');
is(join("\n", rows(q{SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'xero_fdw'::regnamespace AND prosecdef
		AND prosrc ~* '\m(execute|query_to_xml|table_to_xml|schema_to_xml|cursor_to_xml|database_to_xml|dblink|ts_stat|ts_rewrite)\M' ORDER BY 1})), '',
	'... with a text that it executes, least of all');

# Every function has a path of its own, or is in C, or is inlined: then it is
# for nobody, and is parsed where it is used, under a pinned path.
my $pinned = q{EXISTS (SELECT FROM unnest(p.proconfig) AS c WHERE c IN ('search_path=pg_catalog, pg_temp', 'search_path="pg_catalog", "pg_temp"', 'search_path=pg_catalog,pg_temp'))};
is(join("\n", rows(qq{
	SELECT p.oid::regprocedure FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
	WHERE p.pronamespace = 'xero_fdw'::regnamespace AND l.lanname NOT IN ('c', 'internal') AND NOT $pinned
		AND NOT (l.lanname = 'sql' AND p.proconfig IS NULL
			AND NOT has_function_privilege('nobody', p.oid, 'EXECUTE')) ORDER BY 1})), '',
	'a function in another language has the path pg_catalog, pg_temp');
is(join("\n", rows(qq{
	SELECT p.oid::regprocedure FROM pg_proc AS p WHERE p.pronamespace = 'xero_fdw'::regnamespace AND p.proconfig::text LIKE '%search_path%' AND NOT $pinned ORDER BY 1})), '',
	'... with pg_temp at its end');
is(join("\n", rows(q{
	SELECT p.oid::regprocedure || ' ' || word[1] FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang,
		regexp_matches(regexp_replace(regexp_replace(p.prosrc, '--[^\n]*', '', 'g'), '''[^'']*''', '''''', 'g'), '(?<![\w.])(?!xero_fdw\M|pg_catalog\M)([a-z_]\w*)\s*\(', 'g') AS word
	WHERE p.pronamespace = 'xero_fdw'::regnamespace AND l.lanname = 'sql' AND p.proconfig IS NULL
		AND EXISTS (SELECT FROM pg_proc AS f WHERE f.proname = word[1] AND f.pronamespace = 'pg_catalog'::regnamespace)
		AND word[1] NOT IN ('coalesce', 'nullif', 'greatest', 'least', 'exists', 'in', 'values', 'any', 'all', 'row', 'array', 'cast', 'extract', 'substring', 'position', 'trim', 'overlay')
	ORDER BY 1})), '', '... and what is inlined calls functions by their whole names');

# ---- relations ----

is(join("\n", rows(q{
	SELECT c.oid::regclass || ' ' || a.privilege_type FROM pg_class AS c,
		aclexplode(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) AS a
	WHERE c.relnamespace = 'xero_fdw'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND a.grantee = 0 AND a.privilege_type <> 'SELECT' ORDER BY 1})),
	'', 'nobody may write to a relation, or use a sequence');
is(join("\n", rows(q{
	SELECT c.oid::regclass || ' ' || t.attname || ' ' || a.privilege_type FROM pg_class AS c JOIN pg_attribute AS t ON t.attrelid = c.oid, aclexplode(t.attacl) AS a
	WHERE c.relnamespace = 'xero_fdw'::regnamespace ORDER BY 1})), '', '... or a column');
my @selectable = rows(q{
	SELECT c.relname FROM pg_class AS c, aclexplode(c.relacl) AS a
	WHERE c.relnamespace = 'xero_fdw'::regnamespace AND a.grantee = 0 AND a.privilege_type = 'SELECT' ORDER BY 1});
is(join("\n", grep { !$readable{$_} } @selectable), '', 'no other relation can be read by all');
is(join("\n", rows(q{
	SELECT c.oid::regclass || ' ' || a.grantee::regrole || ' ' || a.privilege_type FROM pg_class AS c, aclexplode(c.relacl) AS a
	WHERE c.relnamespace = 'xero_fdw'::regnamespace AND a.grantee NOT IN (0, c.relowner) AND NOT (a.privilege_type = 'SELECT' AND (
			a.grantee = 'pg_read_all_stats'::regrole AND c.relname IN ('budget', 'requests', 'progress', 'audit', 'audit_status')
			OR a.grantee = 'pg_database_owner'::regrole AND c.relname ~ '^(sync|audit_entry)')) ORDER BY 1})), '', '... nor by some');

# What can be read by all can be read: the functions of a view are executed by
# whoever reads it.
foreach my $view (@selectable)
{
	my $text = '';
	is($node->psql('postgres', "SELECT count(*) FROM xero_fdw.$view", extra_params => [ '-U', 'nobody' ], stderr => \$text), 0, "$view can be read by all") or diag($text);
}

# Views show what their own condition lets through, as the extension's owner; so
# no condition of a reader's goes before it.
is(join("\n", rows(q{
	SELECT c.oid::regclass FROM pg_class AS c WHERE c.relnamespace = 'xero_fdw'::regnamespace AND c.relkind = 'v'
		AND c.relname NOT IN ('objects', 'columns', 'requests', 'progress', 'budget', 'write_errors') AND has_table_privilege('nobody', c.oid, 'SELECT')
		AND NOT coalesce(c.reloptions @> '{security_barrier=true}', false) ORDER BY 1})), '', 'views over tables are security barriers');
is(join("\n", rows(q{SELECT c.oid::regclass FROM pg_class AS c WHERE c.relnamespace = 'xero_fdw'::regnamespace AND c.relrowsecurity ORDER BY 1})), '',
	'no table relies on row level security');
is(join("\n", rows(q{SELECT c.oid::regclass || '.' || a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
	WHERE c.relnamespace = 'xero_fdw'::regnamespace AND a.attidentity = 'd' ORDER BY 1})), '', 'numbers are always generated');

# A row of a sync cannot point at one of another: each reference has the sync in it.
is(join("\n", rows(q{
	SELECT k.conrelid::regclass || ' ' || k.conname FROM pg_constraint AS k
	WHERE k.connamespace = 'xero_fdw'::regnamespace AND k.contype = 'f' AND NOT EXISTS (
		SELECT FROM unnest(k.conkey) AS n JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = n WHERE a.attname = 'sync_id')
	ORDER BY 1})), '', 'references have the sync in them');

# Whoever may write all tables may not write these.
$node->safe_psql('postgres', 'CREATE ROLE writer LOGIN; GRANT pg_write_all_data, pg_read_all_data TO writer');
foreach my $table (rows(q{SELECT oid::regclass FROM pg_class WHERE relnamespace = 'xero_fdw'::regnamespace AND relkind = 'r' ORDER BY 1}))
{
	my ($status, $out, $err) = $node->psql('postgres', "SET ROLE writer; DELETE FROM $table");
	like($err, qr/belongs to the extension/, "pg_write_all_data does not reach $table");
}

# ---- schema, types, defaults, members ----

is(join("\n", rows(q{
	SELECT coalesce(nullif(a.grantee, 0)::regrole::text, 'public') || ' ' || a.privilege_type FROM pg_namespace AS n, aclexplode(n.nspacl) AS a
	WHERE n.nspname = 'xero_fdw' AND a.grantee <> n.nspowner ORDER BY 1})), 'public USAGE', 'the schema can be used, and not added to');
is(join("\n", rows(q{SELECT d::text FROM pg_default_acl AS d})), '', 'no default privileges are left behind');
is(join("\n", rows(q{
	SELECT 'function ' || oid::regprocedure FROM pg_proc AS o WHERE pronamespace = 'xero_fdw'::regnamespace AND NOT EXISTS (
		SELECT FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass WHERE e.extname = 'xero_fdw' AND d.objid = o.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e')
	UNION ALL SELECT 'relation ' || oid::regclass FROM pg_class AS o WHERE relnamespace = 'xero_fdw'::regnamespace AND relkind IN ('r', 'v') AND NOT EXISTS (
		SELECT FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass WHERE e.extname = 'xero_fdw' AND d.objid = o.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
	UNION ALL SELECT 'schema' WHERE NOT EXISTS (SELECT FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
		WHERE e.extname = 'xero_fdw' AND d.objid = 'xero_fdw'::regnamespace AND d.classid = 'pg_namespace'::regclass AND d.deptype = 'e')})), '',
	'all of it is the extension\'s');
is(join("\n", rows(q{
	SELECT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
	WHERE e.extname = 'xero_fdw' AND d.deptype = 'e' AND d.classid NOT IN ('pg_foreign_data_wrapper'::regclass, 'pg_namespace'::regclass, 'pg_event_trigger'::regclass)
		AND NOT pg_describe_object(d.classid, d.objid, d.objsubid) ~ '\mxero_fdw\.' ORDER BY 1})), '', '... and nothing of it lies elsewhere');
is(join("\n", rows(q{SELECT evtname FROM pg_event_trigger AS e JOIN pg_proc AS p ON p.oid = e.evtfoid WHERE p.prosecdef OR p.pronamespace <> 'xero_fdw'::regnamespace})), '', 'event triggers are ours, and no definer\'s');

# Casts and operators would be found by everybody's statements.
is(join("\n", rows(q{
	SELECT pg_describe_object(d.classid, d.objid, 0) FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
	WHERE e.extname = 'xero_fdw' AND d.classid IN ('pg_cast'::regclass, 'pg_operator'::regclass, 'pg_opclass'::regclass)})), '', 'no casts and operators');

# The lists of this file name nothing that is gone.
my %there = map { $_ => 1 } rows(q{SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'xero_fdw'::regnamespace});
is(join(' ', sort grep { !$there{$_} } keys %for_all), '', 'the list of functions has none that is gone');
my %open = map { $_ => 1 } @selectable;
is(join(' ', sort grep { !$open{$_} } keys %readable), '', '... and that of relations neither');

done_testing();
