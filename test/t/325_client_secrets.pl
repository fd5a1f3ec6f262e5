# Client secrets that are in no catalogue: stored sealed by set_client_secret(),
# or in a file.  Who may set, use and see them, and where they never are.
use strict;
use warnings;

use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;
use XeroConsent;
use XeroSession;
use XeroTest;

my %options = XeroConsent::options();
my $key_file = $options{conf} =~ /'(.*)'/ ? $1 : die;
$options{conf} .= "\nlog_min_messages = debug5\nlog_error_verbosity = verbose\nlog_statement = all\nlog_min_duration_statement = 0\nlog_parameter_max_length_on_error = -1";
my $xero = XeroTest->new(sandbox => [ '--seed', 1, '--no-limits' ], %options, server => { client_id => 'sandbox-client', grant_type => 'client_credentials' }, mapping => {});
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $folder = PostgreSQL::Test::Utils::tempdir();
my $query = 'SELECT count(account_id) > 0 FROM xero.accounts';
my ($result, $mark);
my $told = '';

my $root = XeroSession->new($node);
$root->rows(q{CREATE ROLE alice LOGIN; CREATE ROLE dave LOGIN; CREATE ROLE owner LOGIN; CREATE ROLE keeper LOGIN; CREATE ROLE nobody LOGIN;
	GRANT pg_read_server_files TO keeper; GRANT USAGE ON FOREIGN SERVER xero TO alice, keeper, nobody;
	GRANT USAGE ON SCHEMA xero TO PUBLIC; GRANT SELECT ON ALL TABLES IN SCHEMA xero TO PUBLIC;
	CREATE USER MAPPING FOR alice SERVER xero; CREATE USER MAPPING FOR keeper SERVER xero});
my ($alice, $dave, $keeper, $nobody) = map { XeroSession->new($node, user => $_) } qw(alice dave keeper nobody);

# A file that only the server may read; how a role that may read files passes a secret on.
sub file
{
	my ($name, $content, $mode) = @_;
	my $path = "$folder/$name";
	open my $file, '>', $path or die;
	print $file $content;
	close $file;
	chmod($mode // 0600, $path);
	return $path;
}
my $right = file('right', "sandbox-secret\n");
my $wrong = file('wrong', "no-such-secret\r\n");
sub from_file { my ($path, $server) = @_; return 'SELECT xero_fdw.set_client_secret(\'' . ($server // 'xero') . "', pg_read_file('$path'))"; }

# The way of those who may not: the secret travels as data, not as a part of a statement.
sub set
{
	my ($who, $path, $server) = @_;
	$server //= 'xero';
	$who->rows("CREATE TEMP TABLE given (secret text);\n\\copy given FROM '$path'");
	$result = $who->try("SELECT xero_fdw.set_client_secret('$server', secret) FROM given");
	$who->rows('DROP TABLE given');
	$told .= $result->{text};
	return $result->{state};
}
sub refused
{
	my ($who, $sql, $state, $text) = @_;
	$result = $who->try($sql);
	$told .= $result->{text};
	is($result->{state}, $state, "$sql: SQLSTATE") or diag($result->{text});
	like($result->{text}, $text, "$sql: message") if defined $text;
	return;
}
sub token_calls { my ($since) = @_; return scalar grep { $_->{path} eq '/connect/token' } $sandbox->log($since); }
sub works { my ($who, $name) = @_; is($who->try($query)->{rows}, 't', $name); return; }

# ---- set, used, replaced, forgotten ----

refused($root, $query, '28000', qr/client_secret is missing for server "xero"\nHINT:  Call xero_fdw\.set_client_secret\(\), or set client_secret_file/);
is(set($root, $right), '00000', 'for PUBLIC, by the owner');
works($root, 'it is used');
works($dave, '... by everybody');
is((stat $key_file)[2] & 07777, 0600, 'the key was made');
refused($alice, $query, '28000', qr/client_secret is missing/);
is(set($alice, $right), '00000', 'for a mapping of her own');
works($alice, '... which it is used for');
is(set($alice, $wrong), '00000', 'another one');
refused($alice, $query, '28000', qr/Xero refused an access token/);
works($dave, 'nobody else has it');
my $second = XeroSession->new($node, user => 'alice');
is(set($second, $right), '00000', 'a session sets it');
works($alice, '... another one uses it');
is(set($second, $wrong), '00000', '... and it is replaced');
refused($alice, $query, '28000', qr/Xero refused an access token/);
is(set($second, $right), '00000', '... again');
$second->quit;
$alice->rows('BEGIN');
is(set($alice, $wrong), '00000', 'in a transaction');
$alice->rows('ROLLBACK');
works($alice, '... that is rolled back');
$alice->rows('BEGIN READ ONLY');
refused($alice, q{SELECT xero_fdw.set_client_secret('xero', 'x')}, '25006');
$alice->rows('ROLLBACK');
$mark = $sandbox->mark;
$root->rows("ALTER SERVER xero OPTIONS (SET client_id 'sandbox-legacy')");
refused($alice, $query, '28000', qr/client_secret is missing/);
is(token_calls($mark), 0, 'the secret of one application is not sent for another one');
$root->rows("ALTER SERVER xero OPTIONS (SET client_id 'sandbox-client')");
works($alice, 'the first application has it still');
$root->rows('ALTER SERVER xero RENAME TO other');
works($alice, 'a server that is renamed keeps it');
$root->rows('ALTER SERVER other RENAME TO xero');
is($alice->rows(q{SELECT seen FROM xero_fdw.check('xero') WHERE name = 'key file'}), 'it opens the stored client secret', 'check');
refused($alice, q{SELECT xero_fdw.set_client_secret('xero', NULL)}, '00000');
refused($alice, $query, '28000', qr/client_secret is missing/);
is(set($alice, $right), '00000', 'forgotten, and set again');

# ---- who may, and what ----

refused($dave, q{SELECT xero_fdw.set_client_secret('xero', 'x')}, '42501', qr/permission denied for foreign server xero/);
refused($nobody, q{SELECT xero_fdw.set_client_secret('xero', 'x')}, '42501', qr/must be owner of foreign server xero/);
refused($nobody, q{SELECT xero_fdw.set_client_secret('xero', NULL)}, '42501');
refused($root, q{SELECT xero_fdw.set_client_secret('nowhere', 'x')}, '42704');
foreach my $bad (' ', 'a b', "a\nb", 'é', 'x' x 1001)
{
	refused($root, "SELECT xero_fdw.set_client_secret('xero', '$bad')", '22023', qr/client secret must consist of printable/);
	is(index($result->{text}, $bad), -1, '... which is not shown') if $bad ne ' ';
}
foreach my $table (qw(secret token))
{
	refused($alice, "SELECT * FROM xero_fdw.$table", '42501', qr/permission denied for table $table/);
}
works($root, 'the one for PUBLIC is as it was');

# what is sealed opens only in its place
$root->rows(q{CREATE TABLE saved AS SELECT * FROM xero_fdw.secret; UPDATE xero_fdw.secret AS t SET client_secret = s.client_secret FROM saved AS s WHERE s.roleid <> t.roleid});
$mark = $sandbox->mark;
refused($alice, $query, '28000', qr/stored client secret was changed, or belongs to another user mapping or database\nHINT:.*set_client_secret/);
is(token_calls($mark), 0, '... and nothing is sent');
$root->rows('UPDATE xero_fdw.secret AS t SET client_secret = s.client_secret FROM saved AS s WHERE s.roleid = t.roleid');
works($alice, '... put right');

# an option of the mapping goes before
$root->rows(q{ALTER USER MAPPING FOR alice SERVER xero OPTIONS (ADD client_secret 'an-option')});
refused($alice, $query, '28000', qr/Xero refused an access token/);
is(set($alice, $right), '00000', 'stored beside an option');
like($result->{text}, qr/NOTICE.*option "client_secret" of the user mapping goes before the stored client secret\nHINT:  Drop it: ALTER USER MAPPING FOR alice SERVER xero OPTIONS \(DROP client_secret\);/s, '... which is said');
$root->rows(q{ALTER USER MAPPING FOR alice SERVER xero OPTIONS (DROP client_secret)});
works($alice, 'without the option');

# ---- a consent, by the worker ----

$xero->create_server('consented', { client_id => 'sandbox-client' }, {});
is(set($root, $right, 'consented'), '00000', 'the secret of an application that people consent to');
XeroConsent::connect($root, 'consented');
$root->rows("SELECT xero_fdw.refresh_token('consented')");
is($root->rows(q{SELECT count(*) FROM xero_fdw.connections WHERE server = 'consented' AND state = 'connected'}), 1, 'connected, and refreshed');
is(scalar(grep { $_->{path} eq '/connect/token' && ($_->{headers}{Authorization} // $_->{headers}{authorization} // '') !~ /^Basic / } $sandbox->log($mark)), 0, '... each time with the secret');

# by the server's owner, who is an ordinary role
$root->rows('GRANT USAGE ON FOREIGN DATA WRAPPER xero_fdw TO owner; ALTER SERVER consented OWNER TO owner');
my $owner = XeroSession->new($node, user => 'owner');
is(set($owner, $right, 'consented'), '00000', 'the owner sets it');
$owner->rows('ALTER SERVER consented RENAME TO mine');
$owner->rows("SELECT xero_fdw.refresh_token('mine')");
is($owner->rows(q{SELECT count(*) FROM xero_fdw.connections WHERE server = 'mine' AND state = 'connected'}), 1, '... and renames the server, which stays connected');
$owner->rows('ALTER SERVER mine RENAME TO consented');
$owner->quit;

# ---- a file ----

my $option = sub { my ($path, $verb) = @_; return 'ALTER USER MAPPING FOR ' . "CURRENT_USER SERVER xero OPTIONS ($verb client_secret_file '$path')"; };
refused($alice, $option->($right, 'ADD'), '42501', qr/permission denied to set option "client_secret_file"\n.*pg_read_server_files/s);
refused($keeper, $option->('right', 'ADD'), '22023', qr/must be an absolute path/);
is($keeper->try($option->($right, 'ADD'))->{state}, '00000', 'who may read files may name one');
works($keeper, '... which is read');
refused($keeper, q{ALTER USER MAPPING FOR CURRENT_USER SERVER xero OPTIONS (ADD client_secret 'x')}, '42601', qr/exclude each other/);
$keeper->rows(q{SELECT xero_fdw.disconnect('xero')});
file('right', 'no-such-secret');
refused($keeper, $query, '28000', qr/Xero refused an access token/);
file('right', 'sandbox-secret');
works($keeper, 'a replaced file counts when a token is needed next');
my %bad = (
	exposed => [ file('exposed', 'sandbox-secret', 0640), 'F0000', 'has group or world access' ],
	empty => [ file('empty', "\n"), 'F0000', 'has no client secret' ],
	lines => [ file('lines', "sandbox-secret\nmore"), 'F0000', 'has no client secret' ],
	long => [ file('long', 'x' x 2000), 'F0000', 'has no client secret' ],
	missing => [ "$folder/missing", '58P01', 'does not exist' ],
	pipe => [ "$folder/pipe", 'F0000', 'is not a regular file' ],
	link => [ "$folder/link", 'F0000', 'is a symbolic link' ],
	inside => [ $node->data_dir . '/secret', 'F0000', 'is inside the data directory' ]);
system('mkfifo', "$folder/pipe") == 0 or die;
symlink($right, "$folder/link") or die;
foreach my $name (sort keys %bad)
{
	my ($path, $state, $text) = @{ $bad{$name} };
	$keeper->rows($option->($path, 'SET'));
	refused($keeper, $query, $state, qr/client secret file $text/);
	unlike($result->{text}, qr/\Q$path\E/, "$name: an ordinary role does not see where it is");
	refused($keeper, q{SELECT state, seen FROM xero_fdw.check('xero') WHERE name = 'settings'}, '00000');
	like($result->{rows}, qr/^problem\|client secret file $text/, "$name: check");
}
$root->rows("CREATE USER MAPPING FOR CURRENT_USER SERVER xero OPTIONS (client_secret_file '$folder/missing')");
refused($root, $query, '58P01', qr/client secret file "\Q$folder\E\/missing" does not exist/);
$root->rows('DROP USER MAPPING FOR CURRENT_USER SERVER xero');
$keeper->rows($option->($right, 'SET'));
works($keeper, 'a good one again');

# ---- another key ----

my $new_file = XeroConsent::new_key_file();
rename($key_file, "$key_file.old") or die;
$root->rows("ALTER SYSTEM SET xero_fdw.key_file = '$new_file'; SELECT pg_reload_conf()");
$_->quit foreach $root, $alice, $dave, $keeper, $nobody;
($root, $alice, $dave, $keeper, $nobody) = map { XeroSession->new($node, user => $_) } qw(postgres alice dave keeper nobody);
refused($alice, $query, '58P01', qr/key file does not exist\nDETAIL:  Stored secrets cannot be opened/);
refused($alice, q{SELECT xero_fdw.set_client_secret('xero', NULL)}, '00000');
is(set($alice, $right), '00000', 'a new secret makes a new key');
refused($root, $query, '28000', qr/stored client secret is sealed with another key\nDETAIL:.*\Q$new_file\E.*\nHINT:.*rotate_key.*set_client_secret/s);
is($root->rows("SELECT xero_fdw.rotate_key('$key_file.old')"), 4, 'two secrets and two tokens are sealed anew');
works($root, '... and open');

# ---- nowhere else ----

my $secret = 'sandbox-secret';
$root->rows("EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM xero.accounts");
my $seen = $root->rows(q{SELECT string_agg(m::text, ' ') FROM pg_user_mapping AS m}) . $root->rows(q{SELECT string_agg(a::text, ' ') FROM pg_stat_activity AS a});
my @relations = split /\n/, $root->rows("SELECT oid::regclass FROM pg_class WHERE relkind = 'v' OR relkind = 'r' AND relnamespace = 'xero_fdw'::regnamespace ORDER BY 1");
foreach my $relation (@relations) { $result = $root->try("SELECT v::text FROM $relation AS v"); $seen .= "$result->{rows}$result->{text}"; }
$seen .= $root->rows('EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM xero.accounts') . $root->rows(q{SELECT string_agg(pg_get_functiondef(oid), ' ') FROM pg_proc WHERE pronamespace = 'xero_fdw'::regnamespace AND prokind IN ('f', 'p')});
cmp_ok(length $seen, '>', 10000, 'views, catalogues, EXPLAIN: there is much to be seen');
my ($dump) = run_command([ 'pg_dump', '-U', 'postgres', $node->connstr('postgres') ]);
like($dump, qr/client_secret_file/, 'a dump names the file');
my $log = slurp_file($node->logfile);
like($log, qr/set_client_secret/, 'the log has statements');
is(index($_->[1], $secret), -1, "no secret in $_->[0]") foreach [ 'views, catalogues, EXPLAIN', $seen ], [ 'a dump', $dump ], [ 'the log', $log ], [ 'messages', $told ];
unlike($log, qr/c2FuZGJveC1jbGllbnQ6c2FuZGJveC1zZWNyZXQ/, '... nor in its other spelling');
unlike($dump, qr/COPY xero_fdw\.secret/, 'a dump does not have what is sealed');

# ---- those who leave ----

# while event triggers are disabled
$root->rows(q{CREATE SERVER reused FOREIGN DATA WRAPPER xero_fdw OPTIONS (client_id 'sandbox-client'); CREATE USER MAPPING FOR PUBLIC SERVER reused});
is(set($root, $right, 'reused'), '00000', 'a secret');
$root->rows(q{SET session_replication_role = replica; DROP SERVER reused CASCADE; RESET session_replication_role});
is($root->rows(q{SELECT count(*) FROM xero_fdw.secret WHERE server = 'reused'}), 1, '... that a superuser leaves behind');
$root->rows(q{CREATE SERVER reused FOREIGN DATA WRAPPER xero_fdw OPTIONS (client_id 'sandbox-client'); CREATE USER MAPPING FOR PUBLIC SERVER reused});
is($root->rows(q{SELECT count(*) FROM xero_fdw.secret WHERE server = 'reused'}), 0, '... is not for who makes the next server of that name');
is(set($root, $right, 'reused'), '00000', 'another one');
$root->rows('CREATE USER MAPPING IF NOT EXISTS FOR PUBLIC SERVER reused');
is($root->rows(q{SELECT count(*) FROM xero_fdw.secret WHERE server = 'reused'}), 1, '... stays with a mapping that is there');
$root->rows('DROP SERVER reused CASCADE');

my $left = q{SELECT count(*) FROM xero_fdw.secret};
is($root->rows($left), 3, 'three secrets');
$root->rows('DROP USER MAPPING FOR PUBLIC SERVER xero');
is($root->rows($left), 2, 'DROP USER MAPPING');
$root->rows('DROP OWNED BY alice');
is($root->rows($left), 1, 'DROP OWNED');
$root->rows('DROP SERVER consented CASCADE');
is($root->rows($left), 0, 'DROP SERVER');

$_->quit foreach $root, $alice, $dave, $keeper, $nobody;
done_testing();
