# A mirror of a large organisation: each page of invoices is asked for once,
# their lines cost nothing, and what has changed later costs one call.  What
# ends a run in the middle loses nothing that was read.
use strict;
use warnings;

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroSession;
use XeroTest;

my $json = JSON::PP->new;
my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--strict', '--invoices', 40_000, '--no-limits' ],
	server => { minute_limit => 1_000_000, day_limit => 1_000_000 });
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
# The mirrors of an ordinary role, and a superuser who looks behind them
my @rights = ('SELECT ON xero.invoices, xero.invoice_line_items, xero.journals');
$xero->create_role('books', @rights);
my $session = XeroSession->new($node, user => 'books');
my $superuser = XeroSession->new($node);
my $mirror = q{CALL xero_fdw.mirror('xero', 'books', '{invoices,invoice_line_items}')};

sub last_run
{
	my ($name) = @_;
	return $json->decode($session->rows("SELECT to_jsonb(r) FROM xero_fdw.sync_runs AS r WHERE sync = '$name' ORDER BY run_id DESC LIMIT 1"));
}

# The pages that were asked for since a mark, by number.
sub pages { return map { /[?&]page=(\d+)/ ? $1 : () } $sandbox->calls($_[0]); }

# Rows of the copies; with what they sum up to.
sub sums
{
	my ($schema) = @_;
	return $session->rows("SELECT count(*), sum(total), count(DISTINCT invoice_id) FROM $schema.invoices")
	  . ' ' . $session->rows("SELECT count(*), sum(line_amount), count(DISTINCT line_item_id) FROM $schema.invoice_line_items");
}

# How a copy is compared with what an audit has seen, when nothing is known of the
# copy.
sub missing_plan
{
	my ($name) = @_;
	my $result = $superuser->try(<<"SQL");
LOAD 'auto_explain';
BEGIN;
SET LOCAL auto_explain.log_nested_statements = on;
SET LOCAL auto_explain.log_min_duration = 0;
DELETE FROM pg_statistic WHERE starelid IN ('$name'::regclass, 'xero_fdw.sync_inbox'::regclass);
SET LOCAL client_min_messages = log;
SELECT count(*) FROM xero_fdw.sync_position AS p JOIN xero_fdw.sync AS s USING (sync_id), xero_fdw._mirror_missing(s, p.tenant_id);
ROLLBACK;
SQL
	my ($plan) = $result->{text} =~ /IN \(SELECT i\.xero_id FROM xero_fdw\.sync_inbox(.*?)^psql/ms;
	return $plan // die $result->{text};
}

# Forty thousand invoices
my $mark = $sandbox->mark;
my $result = $session->try($mirror);
is($result->{state}, '00000', '40,000 invoices are mirrored') or diag($result->{text});
note(sprintf('%.1f s; backend %d kB, of which %d kB shared', $result->{seconds}, $session->memory('VmHWM'), $session->memory('RssShmem')));
my @calls = $sandbox->calls($mark);
is_deeply([ sort { $a <=> $b } pages($mark) ], [ 1 .. 40 ], '... each page is asked for once');
is(scalar(@calls), 40, '... and nothing else');
my $run = last_run('books.invoices');
is_deeply([ @$run{qw(state calls pulled created updated issues)} ], [ 'done', 40, 40_000, 40_000, 0, 0 ], '... as the run says');
$session->memory_below('RssAnon', 64 * 1024, '... in less than 64 MB of memory');
is($session->rows("SELECT bool_and(reltuples > 0) FROM pg_class WHERE oid IN ('books.invoices'::regclass, 'books.invoice_line_items'::regclass)"), 't', '... the planner knows of it');
my $copies = sums('books');
is($copies, sums('xero'), '... and the copies have what Xero has');

# What changes afterwards
my @some = split(/\n/, $session->rows(q{SELECT invoice_id FROM books.invoices WHERE status = 'DRAFT' AND jsonb_array_length(line_items) > 1 ORDER BY invoice_id LIMIT 3}));
$sandbox->change(object => 'Invoices', id => $some[0], set => { Reference => 'Edited' });
$sandbox->change(object => 'Invoices', id => $some[1], set => { LineItems => [ { LineItemID => '00000000-0000-4000-8000-000000000001', Description => 'Only', Quantity => 1, UnitAmount => 2, LineAmount => 2 } ] });
$sandbox->change(object => 'Invoices', id => $some[2], set => { Status => 'VOIDED' });
$mark = $sandbox->mark;
$session->rows(q{CALL xero_fdw.run_sync('books.invoices')});
is(scalar($sandbox->calls($mark)), 1, 'a later run is one call');
$run = last_run('books.invoices');
is_deeply([ @$run{qw(state calls created updated)} ], [ 'done', 1, 0, 3 ], '... which brings what has changed');
is($session->rows("SELECT string_agg(coalesce(reference, '') || status, ',' ORDER BY invoice_id) ~ 'Edited.*VOIDED|VOIDED.*Edited' FROM books.invoices WHERE invoice_id IN ('$some[0]', '$some[2]')"), 't', '... an edit, and an end');
is($session->rows("SELECT string_agg(description, ',') FROM books.invoice_line_items WHERE invoice_id = '$some[1]'"), 'Only', '... and other lines');
$mark = $sandbox->mark;
$session->rows(q{CALL xero_fdw.run_sync('books.invoices')});
$run = last_run('books.invoices');
is_deeply([ scalar($sandbox->calls($mark)), @$run{qw(created updated)} ], [ 1, 0, 0 ], 'then there is nothing');

# Hard to see: a removed record.  An audit finds it, and its lines go along.
$sandbox->change(object => 'Invoices', id => $some[1], delete => JSON::PP::true);
$session->rows(q{CALL xero_fdw.run_sync('books.invoices')});
is($session->rows("SELECT count(*) FROM books.invoices WHERE invoice_id = '$some[1]'"), 1, 'a removed invoice is still here');
$mark = $sandbox->mark;
$session->rows(q{SELECT FROM xero_fdw.audit_sync('books.invoices', 24)});
like(missing_plan('books.invoices'), qr/hashed SubPlan/, 'what is missing is not looked for by comparing all with all, even without statistics');
$session->rows(q{SELECT FROM xero_fdw.audit_sync('books.invoices', 24)});
is(scalar($sandbox->calls($mark)), 41, 'two audits read the list, and ask for what it lacks');
$session->rows(q{CALL xero_fdw.run_sync('books.invoices')});
is($session->rows("SELECT (SELECT count(*) FROM books.invoices WHERE invoice_id = '$some[1]') + (SELECT count(*) FROM books.invoice_line_items WHERE invoice_id = '$some[1]')"), 0, '... so that the next run takes it out, with its lines');
is(sums('books'), sums('xero'), '... the copies have what Xero has');
$session->rows(q{SELECT xero_fdw.drop_sync('books.invoices'); DROP SCHEMA books CASCADE});

# A day that ends in the middle: the run pauses, keeps what it has read, and the
# next begins there.
$sandbox->reset(seed => 2, invoices => 20_000, limits => JSON::PP::false, strict => JSON::PP::true);
$sandbox->faults({ path => '/api.xro/2.0/Invoices', after => 12, times => 1, problem => 'day', retry_after => 5 });
$session->quit;
$session = XeroSession->new($node, user => 'books', settings => '-cxero_fdw.max_wait=0');
$mark = $sandbox->mark;
$result = $session->try($mirror);
is($result->{state}, '00000', 'a day that ends is no error');
like($result->{text}, qr/WARNING:  53400: sync "books.invoices" is paused/, '... but a warning');
is(last_run('books.invoices')->{state}, 'paused', '... the run is paused');
is($session->rows('SELECT count(*) FROM books.invoices'), 10_000, '... and keeps what was read');
sleep(6);
$mark = $sandbox->mark;
$session->rows(q{CALL xero_fdw.run_sync('books.invoices')});
is_deeply([ sort { $a <=> $b } pages($mark) ], [ 11 .. 20 ], 'the next run reads the rest');
is(last_run('books.invoices')->{state}, 'done', '... to the end');
is(sums('books'), sums('xero'), '... the copies have what Xero has');

# So does a run for which all of them have been modified.
$session->rows('DELETE FROM books.invoices');
$superuser->rows(q{UPDATE xero_fdw.sync_position SET watermark = '2020-01-01'});
$sandbox->faults({ path => '/api.xro/2.0/Invoices', after => 12, times => 1, problem => 'day', retry_after => 5 });
$session->rows(q{CALL xero_fdw.run_sync('books.invoices')});
is(last_run('books.invoices')->{state}, 'paused', 'a run for what was modified is paused');
sleep(6);
$mark = $sandbox->mark;
$session->rows(q{CALL xero_fdw.run_sync('books.invoices')});
is_deeply([ sort { $a <=> $b } pages($mark) ], [ 11 .. 20 ], '... the next one reads the rest');
is_deeply([ grep { !exists $_->{headers}{'if-modified-since'} } $sandbox->log($mark) ], [], '... of what was modified');
is(last_run('books.invoices')->{state}, 'done', '... to the end');
is(sums('books'), sums('xero'), '... the copies have what Xero has');

# Journals never change: a copy goes on at the number where it ended, whatever has
# ended the run.
sub offsets { return map { /[?&]offset=(\d+)/ ? $1 : () } $sandbox->calls($_[0]); }
sub last_number { return $session->rows('SELECT max(journal_number) FROM books.journals'); }
$sandbox->data(object => 'Journals', records => [ map {
	{ JournalID => sprintf('00000000-0000-4000-8000-%012d', $_), JournalNumber => 1000 + $_, JournalDate => '2026-03-01', CreatedDateUTC => '2026-03-01T00:00:00' }
} 1 .. 5300 ]);
$sandbox->faults({ path => '/api.xro/2.0/Journals', after => 62, times => 1, problem => 'day', retry_after => 5 });
$session->rows(q{CALL xero_fdw.mirror('xero', 'books', '{journals}')});
is(last_run('books.journals')->{state}, 'paused', 'journals: a run is paused');
is($session->rows('SELECT count(*) FROM books.journals'), 5000, '... what it has read is there');
my $last = last_number();
sleep(6);
$mark = $sandbox->mark;
$session->rows(q{CALL xero_fdw.run_sync('books.journals')});
is((offsets($mark))[0], $last, '... the next one goes on behind that');
is($session->rows('SELECT count(*) FROM books.journals'), $session->rows('SELECT count(*) FROM xero.journals'), '... to the end');
$mark = $sandbox->mark;
$session->rows(q{CALL xero_fdw.run_sync('books.journals')});
is_deeply([ offsets($mark) ], [ last_number() ], '... and later one call finds that there are no more');
$_->quit foreach ($session, $superuser);

# Several organisations: the calls of each, and rows by organisation
my $three = XeroTest->new(
	name => 'three',
	sandbox => [ '--seed', 1, '--strict', '--no-limits', '--tenants', 3, '--invoices', 2500, '--contacts', 60 ],
	server => { client_id => 'sandbox-client', grant_type => 'client_credentials', minute_limit => 1_000_000 },
	mapping => { client_secret => 'sandbox-secret' });
$sandbox = $three->sandbox;
$three->create_role('books', @rights);
$session = XeroSession->new($three->node, user => 'books');
$mark = $sandbox->mark;
$session->rows($mirror);
is(scalar($sandbox->calls($mark)), $session->rows('SELECT sum(ceil(n / 1000.0)) FROM (SELECT count(*) AS n FROM xero.invoices GROUP BY tenant_id) AS o'), 'three organisations: each page once');
is(sums('books'), sums('xero'), '... the copies have what Xero has');
is($session->rows('SELECT count(DISTINCT tenant_id) FROM books.invoice_line_items'), 3, '... of all three');
$mark = $sandbox->mark;
$session->rows(q{CALL xero_fdw.run_sync('books.invoices')});
is(scalar($sandbox->calls($mark)), 3, '... and later one call each');
$session->quit;

done_testing();
