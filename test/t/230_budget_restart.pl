# What is known of the budget over a restart, after a crash, and on a standby.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use XeroBudget;
use XeroSession;
use XeroTest;

# Without it there is nobody to keep anything over a restart.
plan skip_all => 'the extension is not preloaded' if ($ENV{XERO_PRELOAD} // 'xero_fdw') eq '';

my $xero = XeroTest->new(
	sandbox => [ '--seed', 1, '--minute-limit', 1000, '--invoices', 100 ], import => undef,
	conf => "restart_after_crash = on\nwal_level = replica\nmax_wal_senders = 5\nhot_standby = on");
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
my $budget = XeroBudget->new($xero);
my ($tenant) = $budget->tenants;
my $file = $node->data_dir . '/pg_stat/xero_fdw.budget';
$budget->server('frugal', client_id => 'frugal', day_limit => 5);
$budget->server('refused', client_id => 'refused');
$budget->server('plain', client_id => 'plain', page_size => 10);

sub query { return "SELECT count(account_id) > 0 FROM $_[0].accounts"; }

sub calls { return scalar(() = $sandbox->calls($_[0])); }

sub restart
{
	my ($how, $damage) = @_;
	$budget->quit;
	$node->stop($how);
	$damage->() if $damage;
	$node->start;
	$budget = XeroBudget->new($xero);
	return;
}

# ---- a clean restart ----

$budget->prove('refused');
$xero->psql(query('frugal')) for 1 .. 3;
$sandbox->faults({ path => '/api.xro/2.0/Accounts', problem => 'day', retry_after => 5000, times => 1 });
is(($xero->error_of(query('refused')))[0], '53400', 'the day is spent');
$xero->psql(query('plain'));
my $stats = 'day_limit, day_remaining, calls, throttled, bytes_in, bytes_out, stats_since';
my %before = map { $_ => $budget->row($_, $stats) } 'frugal', 'refused';
my $resets = $budget->row('refused', "date_trunc('second', day_resets_at + interval '500 ms')");
ok(!-e $file, 'no file while the server runs');
restart('fast');
ok(!-e $file, 'nor after it has read it');
my $mark = $sandbox->mark;
is(($xero->error_of(query('refused')))[0], '53400', 'the day is still spent');
is(calls($mark), 0, 'for which no call is needed');
is($budget->row('refused', $stats), $before{refused}, 'statistics are kept');
is($budget->row('refused', "abs(extract(epoch FROM day_resets_at - '$resets')) <= 2"), 't', 'so is the time when the day begins');
is($xero->psql(query('frugal')), 't', 'the fourth call of five');
is($budget->row('frugal', 'day_remaining, calls'), '1|4', 'counted with those before');
is($budget->row('frugal', 'stats_since'), (split /\|/, $before{frugal})[-1], 'since when counting began');
is($xero->psql(query('frugal')), 't', 'the fifth');
is(($xero->error_of(query('frugal')))[0], '53400', 'and no sixth');

# ---- a file that was written by another calendar ----

# The checksum of an entry, as PostgreSQL computes it.
sub crc32c
{
	my $crc = 0xffffffff;
	foreach my $byte (unpack('C*', $_[0]))
	{
		$crc ^= $byte;
		$crc = $crc & 1 ? ($crc >> 1) ^ 0x82f63b78 : $crc >> 1 for 1 .. 8;
	}
	return pack('L', $crc ^ 0xffffffff);
}

# Changes the times of an application's entry by so many seconds.  After its key
# and six statistics come three times, four numbers, 64 callers and the checksum.
my ($key_size, $entry_size) = (104, 104 + 6 * 8 + 3 * 8 + 4 * 4 + 64 * 24 + 4);

sub shift_times
{
	my ($client_id, @seconds) = @_;
	my $text = slurp_file($file);
	my $at = 4;
	$at += $entry_size until $at > length $text || substr($text, $at, 64) =~ /^\Q$client_id\E\0/;
	my @times = unpack('q3', substr($text, $at + $key_size + 48, 24));
	$times[$_] += $seconds[$_] * 1_000_000 foreach 0 .. 2;
	substr($text, $at + $key_size + 48, 24) = pack('q3', @times);
	substr($text, $at + $entry_size - 4, 4) = crc32c(substr($text, $at, $entry_size - 4));
	open(my $handle, '>:raw', $file) or die "$file: $!";
	print $handle $text;
	close($handle) or die $!;
	return;
}

my $years = 30 * 365 * 86400;
foreach my $case ([ 'as it was', [ 0, 0, 0 ], 1 ], [ 'of a day', [ 0, 0, 70_000 ], 1 ], [ 'of two days', [ 0, 0, 150_000 ], 0 ],
	[ 'of decades', [ 0, 0, $years ], 0 ], [ 'out of all time', [ 0, 0, 9_000_000_000_000 ], 0 ], [ 'of before', [ -$years, -$years, -$years ], 0 ])
{
	my ($name, $seconds, $holds) = @$case;
	$budget->server('dated', client_id => "dated $name");
	$budget->prove('dated');
	$sandbox->faults({ path => '/api.xro/2.0/Accounts', problem => 'day', retry_after => 5000, times => 1 });
	is(($xero->error_of(query('dated')))[0], '53400', "a refusal $name");
	restart('fast', sub { shift_times("dated $name", @$seconds); });
	$mark = $sandbox->mark;
	is(($xero->error_of(query('dated')))[0] // '00000', $holds ? '53400' : '00000', '... is believed within bounds');
	is(calls($mark), 1 - $holds, '... calls');
	$budget->watcher->rows('DROP SERVER dated CASCADE; DROP SCHEMA dated CASCADE');
}

# ---- a file that is not what was written ----

my %damage = (
	'cut' => sub { truncate($file, (-s $file) - 7) },
	'empty' => sub { truncate($file, 0) },
	'of another version' => sub { change(0) },
	'changed in its middle' => sub { change(100) });

sub change
{
	my ($at) = @_;
	open(my $handle, '+<:raw', $file) or die "$file: $!";
	seek($handle, $at, 0);
	read($handle, my $byte, 1);
	seek($handle, $at, 0);
	print $handle chr(ord($byte) ^ 0x55);
	close($handle) or die $!;
	return;
}

foreach my $name (sort keys %damage)
{
	my $before = -s $node->logfile;
	restart('fast', sub {
		ok(-s $file, "a file that is $name");
		$damage{$name}->();
	});
	like(substr(slurp_file($node->logfile), $before), qr/LOG:  ignoring invalid data in file "pg_stat\/xero_fdw\.budget"/, 'is ignored, and logged');
	ok(!-e $file, 'and removed');
	is($xero->psql(query('plain')), 't', 'calls go on');
}

# ---- crashes ----

# What is left of the day, for all applications that are one here.
sub left_of_day
{
	return 5000 - grep { XeroSandbox::is_api_call($_) } $sandbox->log;
}

my $since = $budget->row('plain', 'stats_since');
restart('immediate', sub { ok(-s $file, 'an immediate stop writes the file as well') });
is($xero->psql(query('plain')), 't', 'a call after an immediate stop');
is($budget->row('plain', 'stats_since'), $since, 'which is read');
is($budget->row('plain', 'day_remaining, in_flight, waiting'), left_of_day() . '|0|0', 'what its answer tells is known');

# Killed with three calls under way, and one that waits.
my $victim = XeroSession->new($node);
$sandbox->faults({ path => '/api.xro/2.0/Invoices', after => 1, delay_ms => 60_000 });
$budget->watcher->rows("ALTER SERVER plain OPTIONS (ADD concurrency '3', ADD minute_limit '1000')");
$victim->start('SELECT count(invoice_id::text) FROM plain.invoices');
ok($budget->until_true("SELECT in_flight = 3 FROM xero_fdw.budget WHERE server = 'plain'"), 'three calls are under way');
my $waiting = XeroSession->new($node);
$waiting->start(query('plain'));
ok($budget->waits($waiting, 'budget'), 'and one session waits');
my $pid = $budget->watcher->pid;
kill 'KILL', $victim->pid;
isnt($_->wait->{state} // '', '00000', 'killed, or ended for that') foreach $victim, $waiting;
for (1 .. 300) { last unless kill 0, $pid; select(undef, undef, undef, 0.1); }
$_->quit foreach $victim, $waiting, $budget;
ok($node->poll_query_until('postgres', 'SELECT true'), 'the server recovers');
$budget = XeroBudget->new($xero);
$sandbox->faults;
# Xero still works on the two calls that were never answered, and counts them.
is($xero->psql(query('plain')), 't', 'a call after it');
is($budget->row('plain', 'calls, in_flight, waiting'), '1|0|0', 'no grant is left over');
is($budget->row('plain', 'day_remaining'), left_of_day(), 'limits are learned anew');
is($xero->psql('SELECT count(invoice_id::text) FROM plain.invoices'), 100, 'and scans go on');

# ---- a standby ----

$node->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
is($standby->safe_psql('postgres', 'SELECT pg_is_in_recovery()'), 't', 'a standby');
is($standby->safe_psql('postgres', query('plain')), 't', 'queries go on there');
like($standby->safe_psql('postgres', "SELECT calls, in_flight, waiting, minute_remaining > 0 FROM xero_fdw.budget WHERE server = 'plain'"), qr/^1\|0\|0\|t$/, 'with a budget of its own');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM xero_fdw.requests'), 1, 'and requests');
is($standby->safe_psql('postgres', 'SELECT xero_fdw.reset_stats()'), '', 'that can be reset');
is($standby->safe_psql('postgres', 'SELECT sum(calls) FROM xero_fdw.budget'), 0, 'there');
is($budget->row('plain', 'calls > 1'), 't', 'and not here');
foreach my $run ('CALL xero_fdw.run_syncs()', q{CALL xero_fdw.run_sync('any')}, q{CALL xero_fdw.mirror('books', 'books')})
{
	my ($status, undef, $errors) = $standby->psql('postgres', $run);
	like($errors, qr/ERROR:  syncs cannot run on a standby\n.*HINT:  They run on the primary\./s, "$run there");
}
$standby->safe_psql('postgres', query('plain'));
$standby->restart;
$standby->safe_psql('postgres', query('plain'));
is($standby->safe_psql('postgres', "SELECT calls FROM xero_fdw.budget WHERE server = 'plain'"), 2, 'it keeps its own over a restart');

$budget->quit;
$standby->stop;
done_testing();
