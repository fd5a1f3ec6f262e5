# What a run reads of what a sync remembers: it goes with what has changed, not with
# what is there, whatever the planner has been told of these tables.  Nothing is
# timed; the server counts the rows that it fetches.
use strict;
use warnings;

use XeroSync;
use XeroTest;
use Test::More;

my $links = 4000;
my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--contacts', 0, '--invoices', 0, '--strict', '--no-limits' ],
	server => { minute_limit => 1000000, day_limit => 1000000 });
my $crm = XeroSync->new($xero);
my @tables = qw(sync_change sync_inbox sync_intent sync_issue sync_link);

# Rows of the engine's tables that were fetched so far, by table.
sub fetched
{
	$crm->rows('SELECT pg_stat_force_next_flush()');
	my $lines = $crm->superuser->rows("SELECT relname, seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables
		WHERE schemaname = 'xero_fdw' AND relname IN ('" . join("', '", @tables) . "')");
	return { map { split /\|/ } split /\n/, $lines };
}

# A run that fetches no more rows than that of any of these tables.
sub runs
{
	my ($name, $most, %expected) = @_;
	my $before = fetched();
	my $run = $crm->run('crm');
	my $after = fetched();
	is($run->{state}, 'done', $name) or diag($run->{text});
	foreach my $column (sort keys %expected)
	{
		is($run->{$column}, $expected{$column}, "$name: $column");
	}
	foreach my $table (@tables)
	{
		my $read = $after->{$table} - $before->{$table};
		cmp_ok($read, '<=', $most, "$name: rows of $table that are read");
	}
	return;
}

# Ten rows and ten other records get other e-mail addresses, $n is any number.
sub edit
{
	my ($n) = @_;
	$crm->rows("UPDATE crm.contacts SET email = 'here$n.' || id || '\@example.com' WHERE id % 400 = $n");
	my @ids = split /\n/, $crm->rows("SELECT xero_id FROM crm.contacts WHERE id % 400 = $n + 200");
	$crm->xero_sets($_, { FirstName => "There $n" }) foreach @ids;
	$crm->advance(120);
	return scalar(@ids);
}

# The engine's tables are as small as they can be when its plans are first made and
# when the planner hears of them, and nothing tells it of what comes then.
$crm->superuser->rows(join(';', map { "ALTER TABLE xero_fdw.$_ SET (autovacuum_enabled = off)" } @tables));
$crm->create('crm', match_on => ['name']);
runs('nothing there', 20, calls => 1) foreach 1 .. 7;
$crm->superuser->rows("VACUUM ANALYZE xero_fdw.$_") foreach @tables;

# half of the contacts have rows
$crm->xero_has(map { { Name => sprintf('Customer %05d', $_), EmailAddress => "c$_\@example.com" } } 1 .. $links);
$crm->rows("INSERT INTO crm.contacts (name, email) SELECT format('Customer %s', to_char(n, 'FM00000')), 'c' || n || '\@example.com'
	FROM generate_series(1, $links, 2) AS n");
$crm->superuser->rows("UPDATE xero_fdw.sync_position SET watermark = NULL, initial_done = false");
runs('first merge', 40 * $links, created => $links / 2, pushed => 0);
is_deeply([ $crm->differences ], [], 'first merge: both sides say the same');
$crm->advance(120);
runs('what was merged comes once more', 40 * $links);
$crm->advance(120);

runs('unchanged', 20, calls => 1, pulled => 0);
foreach my $n (1, 2)
{
	is(edit($n), 10, 'ten records have changed');
	runs('ten changes on each side', 2000, updated => 20, pushed => 10);
	$crm->advance(120);
	runs('what was pushed comes back', 200, updated => 0, pushed => 0);
	$crm->advance(120);
	runs('unchanged again', 20, calls => 1, pulled => 0);
}

# Statistics of full tables, which are emptied.
$crm->superuser->rows("VACUUM ANALYZE xero_fdw.$_") foreach @tables;
is(edit(3), 10, 'ten records have changed');
runs('ten changes, with statistics', 2000, updated => 20, pushed => 10);
$crm->advance(120);

# rows that have no partner wait, and are not asked again each time
$crm->rows(q{SELECT xero_fdw.alter_sync('crm', direction => 'pull')});
$crm->rows("INSERT INTO crm.contacts (name) SELECT 'Nobody ' || n FROM generate_series(1, 1000) AS n");
runs('rows that wait', 40 * $links);
$crm->advance(120);
runs('rows that wait, unchanged', 20, calls => 1, pulled => 0);
$crm->rows(q{DELETE FROM crm.contacts WHERE xero_id IS NULL; SELECT xero_fdw.alter_sync('crm', direction => 'both')});
runs('and those that go', 40 * $links);
$crm->advance(120);

# all rows are loaded anew: a fetched row for each, again and again, would be
# $links ** 2
foreach my $how ('with their ids', 'with other keys', 'without ids')
{
	my $columns = $how eq 'with other keys' ? 'xero_id, name, email, first, surname' : $how eq 'without ids' ? 'name, email, first, surname' : 'id, xero_id, name, email, first, surname';
	$crm->rows("BEGIN; CREATE TEMP TABLE copy ON COMMIT DROP AS SELECT * FROM crm.contacts;
		TRUNCATE crm.contacts; INSERT INTO crm.contacts ($columns) SELECT $columns FROM copy; COMMIT");
	runs("reloaded $how", 80 * $links, created => 0, pushed => 0);
	is_deeply([ $crm->differences ], [], "reloaded $how: both sides say the same");
	$crm->advance(120);
	runs("reloaded $how: unchanged", 20, calls => 1);
}

# a request does not look at all that waits for its turn
$crm->rows(q{INSERT INTO crm.contacts (name) SELECT 'New ' || n FROM generate_series(1, 1000) AS n});
my $before = fetched()->{sync_intent};
runs('a thousand new rows', 40 * $links, pushed => 1000);
cmp_ok(fetched()->{sync_intent} - $before, '<=', 12 * 1000, 'a thousand new rows: ... are read a few times each');
$crm->advance(120);
runs('a thousand new rows come back', 40 * $links, updated => 0);
$crm->advance(120);

# what waits for a person costs its own rows
$crm->rows(q{INSERT INTO crm.contacts (name, xero_id) SELECT 'Nobody ' || n, gen_random_uuid() FROM generate_series(1, 100) AS n});
runs('what waits for a person', 40 * $links, pushed => 0);
$crm->advance(120);
runs('what waits for a person, unchanged', 2000, calls => 1, pulled => 0);

$crm->quit;
done_testing();
