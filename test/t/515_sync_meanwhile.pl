# What others do to the local table while a run is under way, or a sync created:
# nothing of it is lost, and no row that merely moves is taken for one that is
# gone.  Neither is what logical replication does.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use XeroSession;
use XeroSync;
use XeroTest;

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--contacts', 0, '--invoices', 0, '--strict', '--no-limits' ],
	conf => "wal_level = logical\nmax_wal_senders = 2\nmax_replication_slots = 2",
	server => { minute_limit => 1000000, day_limit => 1000000 });
my $crm = XeroSync->new($xero);
my $other = XeroSession->new($xero->node);
my $third = XeroSession->new($xero->node);
$crm->create('crm', match_on => ['name'], on_delete => 'archive');
$crm->local_has(map { { name => "Early $_" } } 1 .. 3);
$crm->run('crm');

# One transaction began before another, and ends after it.
$other->rows(q{BEGIN; INSERT INTO crm.contacts (name) VALUES ('Slow'); UPDATE crm.contacts SET id = 1001 WHERE name = 'Early 1'});
$third->rows(q{INSERT INTO crm.contacts (name) VALUES ('Quick')});
runs_while('COMMIT');
is($crm->rows(q{SELECT string_agg(name, ' ') FROM crm.contacts WHERE xero_id IS NULL}), 'Slow', 'what was not seen yet waits for the next run');
is($crm->run('crm')->{state}, 'done', '... which');
is_deeply([ $crm->differences ], [], '... finds it');

# Rows get other keys between being looked at and being merged.
$crm->rows(q{UPDATE crm.contacts SET email = 'edited@example.com'});
runs_while(q{UPDATE crm.contacts SET id = id + 5000; DELETE FROM crm.contacts WHERE name = 'Early 3'});
is($crm->run('crm')->{state}, 'done', 'rows with other keys');
is(join(' ', map { $_->{Name} } grep { $_->{ContactStatus} eq 'ARCHIVED' } values %{ $crm->xero }), 'Early 3', '... are still there, but for one that was deleted');
is_deeply([ grep { !/Early 3/ } $crm->differences ], [], '... and equal');
# A field that Xero has changed is edited here, later, while the run reads Xero.
my ($id) = grep { $crm->xero->{$_}{Name} eq 'Early 2' } keys %{ $crm->xero };
$crm->xero_sets($id, { EmailAddress => 'there@example.com', FirstName => 'There' });
runs_while(q{UPDATE crm.contacts SET email = 'here@example.com' WHERE name = 'Early 2'});
$crm->run('crm');
is($crm->rows(q{SELECT email, first FROM crm.contacts WHERE name = 'Early 2'}) . " " . $crm->xero->{$id}{EmailAddress}, 'here@example.com|There here@example.com', 'an edit that came while the run was under way is the newer one');

$crm->advance(120);
$crm->run('crm');
is($crm->rows('SELECT waiting_changes FROM xero_fdw.syncs'), 0, 'nothing is left to do');

# A name that is taken is given up at Xero: by a contact that gets another, or ends.
foreach my $way ({ Name => 'Gives it up' }, { ContactStatus => 'ARCHIVED', Name => 'Gives it up' })
{
	$crm->clear;
	my ($taken) = $crm->xero_has({ Name => 'Taken' });
	$crm->create('crm', match_on => ['name']);
	$crm->run('crm');
	$crm->local_has({ name => 'Taken' });
	is($crm->run('crm')->{issues}, 1, 'a name that is taken is an issue');
	$crm->xero_sets($taken, $way);
	$crm->run('crm');
	is_deeply($crm->run('crm')->{calls_by}, { GET => 1, PUT => 1 }, 'once it is given up, the row is sent again');
	is_deeply([ $crm->differences, $crm->doubles ], [], '... and both sides are equal');
	is($crm->rows('SELECT count(*) FROM xero_fdw.sync_issues'), 0, '... without an issue');
}

# ... or by a record that ends with its row.
$crm->clear;
$crm->local_has({ name => 'Taken', email => 'one@example.com' });
$crm->create('crm', match_on => ['email'], on_delete => 'archive');
$crm->run('crm');
$crm->local_has({ name => 'Taken', email => 'other@example.com' });
is($crm->run('crm')->{issues}, 1, 'the name of another row is an issue');
$crm->rows('DELETE FROM crm.contacts WHERE id = 1');
is_deeply($crm->run('crm')->{calls_by}, { GET => 1, POST => 1 }, 'that row is deleted');
is_deeply($crm->run('crm')->{calls_by}, { GET => 1, PUT => 1 }, '... and in the next run the other one is sent again');
is($crm->rows('SELECT count(*) FROM xero_fdw.sync_issues'), 0, '... without an issue');

# A transaction whose snapshot is older than the sync
$crm->clear;
$crm->local_has({ name => 'Old' });
$other->rows('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM crm.contacts');
$crm->create('crm', match_on => ['name']);
$crm->run('crm');
$other->rows(q{INSERT INTO crm.contacts (name) VALUES ('Older'); COMMIT});
is($crm->superuser->rows('SELECT operation, local_key FROM xero_fdw.sync_change'), 'insert|[2]', 'a change by an older transaction is recorded');
is($crm->run('crm')->{state}, 'done', '... and a run');
is_deeply([ $crm->differences ], [], '... takes it over');

# Logical replication, from another database of the server
$crm->clear;
$crm->create('crm', match_on => ['name']);
$crm->run('crm');
$crm->superuser->rows('CREATE DATABASE source');
my $source = XeroSession->new($xero->node, dbname => 'source');
$source->rows(XeroSync::table_of('crm.contacts'));
$source->rows('CREATE PUBLICATION crm FOR TABLE crm.contacts');
$source->rows(q{SELECT pg_create_logical_replication_slot('crm', 'pgoutput')});
my $conninfo = XeroSync::quoted($xero->node->connstr('source'));
$crm->superuser->rows("CREATE SUBSCRIPTION crm CONNECTION $conninfo PUBLICATION crm WITH (create_slot = false, slot_name = 'crm', copy_data = false)");
$source->rows(q{INSERT INTO crm.contacts (id, name) VALUES (1, 'Far'), (2, 'Farther'); UPDATE crm.contacts SET id = 3 WHERE id = 2; DELETE FROM crm.contacts WHERE id = 1; TRUNCATE crm.contacts});
$xero->node->wait_for_catchup('crm');
is($crm->superuser->rows(q{SELECT string_agg(concat_ws(' ', operation, local_key, old_key), ', ' ORDER BY change_id) FROM xero_fdw.sync_change}),
	'insert [1], insert [2], update [3] [2], delete [1], truncate', 'what is replicated is recorded');
$crm->superuser->rows('DROP SUBSCRIPTION crm');
$source->quit;

# A row that is loaded anew, with another key, and deleted while a run is under way
$crm->clear;
$crm->xero_has({ Name => 'Ann' }, { Name => 'Bob' });
$crm->local_has({ name => 'Ann' }, { name => 'Bob' });
$crm->create('crm', match_on => ['name'], on_delete => 'ignore');
$crm->run('crm');
$crm->rows(q{BEGIN; TRUNCATE crm.contacts; INSERT INTO crm.contacts (id, name) VALUES (11, 'Ann'), (12, 'Bob'); COMMIT});
$crm->superuser->rows(q{ALTER FUNCTION xero_fdw._gather(xero_fdw._run) RENAME TO _gathered;
	CREATE FUNCTION xero_fdw._gather(state xero_fdw._run) RETURNS bigint LANGUAGE plpgsql AS $$
	BEGIN
		DELETE FROM crm.contacts WHERE id = 11;
		RETURN xero_fdw._gathered(state);
	END $$});
$crm->run('crm');
$crm->superuser->rows(q{DROP FUNCTION xero_fdw._gather(xero_fdw._run); ALTER FUNCTION xero_fdw._gathered(xero_fdw._run) RENAME TO _gather});
$crm->run('crm');
is($crm->rows('SELECT id, name FROM crm.contacts'), '12|Bob', 'a row that is loaded, and deleted while a run looks, does not come back');

# What Xero gives to a new record is nobody's edit.
$crm->clear;
$crm->local_has({ name => 'Ann' }, { name => 'Bob' });
$crm->create('crm', match_on => ['name'], conflict => 'xero', fields => { %{ XeroSync::fields() }, status => 'contact_status' });
runs_while(q{UPDATE crm.contacts SET status = 'ARCHIVED' WHERE name = 'Ann'}, 'PUT', 'push');
$crm->run('crm');
is($crm->rows('SELECT string_agg(name || status, $$ $$ ORDER BY name) FROM crm.contacts') . ', ' . join(' ', sort map { $_->{Name} . $_->{ContactStatus} } values %{ $crm->xero }),
	'AnnARCHIVED BobACTIVE, AnnARCHIVED BobACTIVE', 'a row that is edited while it is sent keeps that, whatever Xero gives');

# A run; while it waits for Xero, the other session does something.
sub runs_while
{
	my ($sql, $method, $phase) = (@_, 'GET', 'pull');
	my $mark = $xero->sandbox->mark;
	$xero->sandbox->faults({ path => '/api.xro/2.0/Contacts', method => $method, delay_ms => 2000, times => 1 });
	$crm->session->start(q{CALL xero_fdw.run_sync('crm')});
	my $reads = q{SELECT count(*) FROM xero_fdw.sync_runs WHERE state = 'running' AND phase = '} . "$phase'";
	for (my $tries = 0; !$third->rows($reads); $tries++)
	{
		die 'the run does not read' if $tries > 500;
		sleep(0.01);
	}
	$other->rows($sql);
	my $run = $crm->outcome('crm', $mark, $crm->session->wait);
	is($run->{state}, 'done', 'the run ends') or diag($run->{text});
	return;
}

$crm->quit;
done_testing();
