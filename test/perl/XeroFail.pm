# The nth call of a function by xero_fdw fails (test/modules/fail_nth), for each
# n, and what comes of it is looked at.
#
#   my $xero = XeroTest->new(conf => XeroFail::settings(), ...);
#   XeroFail::create($xero);
#   XeroFail::fresh($xero, { name => 'accounts', sql => 'SELECT ...' }, @XeroFail::MEMORY);
#
# A case has a name and a statement "sql"; and "next", the one that is run after
# it in the same session (the same).  Both may be functions of the number of the
# trial.  "good" are the states that may be the outcome, and "check" looks at a
# trial in place of comparing the rows of "next"; it tells what is wrong.
#
# With XERO_FAIL_ALL=1 each n is tried, otherwise some of those of a cause that
# has many.
package XeroFail;

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Spec;
use List::Util qw(max);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $NEVER = 1_000_000_000;

# What fails, with which errno, and how often, if not once.
our @MEMORY = map { [ $_, 'NOMEM' ] } qw(malloc palloc openssl);
our @CURL = map { [ $_, 'NOMEM' ] } qw(curl_global_init curl_multi_init curl_multi_setopt curl_easy_init
	curl_easy_setopt curl_url curl_slist_append curl_multi_add_handle curl_multi_socket_action);
our @SYSTEM = (
	[ 'epoll_create1', 'MFILE' ],
	[ 'epoll_ctl', 'NOSPC' ],
	[ 'epoll_wait', 'INTR' ],
	[ 'timerfd_create', 'MFILE' ],
	[ 'timerfd_settime', 'INVAL' ],
	[ 'waitset', 'NOSPC' ],
	[ 'socket', 'MFILE' ],
	[ 'connect', 'CONNREFUSED' ],
	[ 'connect', 'NETUNREACH' ],
	[ 'send', 'PIPE' ],
	[ 'recv', 'CONNRESET' ],
	[ 'recv', 'NONE' ]);
# From the nth call on all fail.
our @WITHOUT_END = map { [ $_, 'NOMEM', $NEVER ] } qw(malloc palloc openssl);
our @WORKER = map { [ $_, 'NONE' ] } qw(worker worker_exit worker_fatal);

# As Linux has them, but on MIPS, SPARC and Alpha.
my %ERRNO = (NONE => 0, INTR => 4, NOMEM => 12, INVAL => 22, MFILE => 24, NOSPC => 28, PIPE => 32,
	NETUNREACH => 101, CONNRESET => 104, CONNREFUSED => 111);
my $GOOD = qr/^(00000|53000|53200|08001|08006)$/;
my $SOME = $ENV{XERO_FAIL_ALL} ? 1_000_000 : 8;

# Rounds of one session may differ by this in what they leave allocated.
my $NOISE = 16 * 1024;

# ---- the module ----

my $source = File::Spec->rel2abs(dirname(__FILE__)) . '/../modules/fail_nth';
my $library;

# Built for this test; undef where nothing can be built.
sub library
{
	return $library if defined $library;
	my $folder = PostgreSQL::Test::Utils::tempdir();
	copy($_, $folder) or die "$_: $!" foreach "$source/Makefile", "$source/fail_nth.c";
	my $pg_config = $ENV{PG_CONFIG} || 'pg_config';
	return if system("make -s -C $folder PG_CONFIG=$pg_config COPT=-Werror >$folder/make.log 2>&1") != 0;
	return $library = "$folder/fail_nth.so";
}

# For postgresql.conf.  The module finds xero_fdw in memory, so that is preloaded.
sub settings { return "shared_preload_libraries = 'xero_fdw, " . library() . "'"; }

sub create
{
	my ($xero) = @_;
	my $as = "LANGUAGE c STRICT AS '" . library() . "'";
	$xero->psql(<<"SQL");
CREATE FUNCTION fail_nth(what text, nth bigint, times bigint, errno int) RETURNS void $as;
CREATE FUNCTION fail_no_more() RETURNS text $as;
CREATE FUNCTION silent_masks() RETURNS text $as;
CREATE FUNCTION descriptors() RETURNS int $as;
CREATE FUNCTION allocated() RETURNS bigint $as;
SQL
	return;
}

# ---- trials ----

my $number = 0;

# The statement, and the next one, as text for psql.
sub trial
{
	my ($case, $cause, $n) = @_;
	my ($what, $error, $times) = @{ $cause // [ 'nothing', 'NONE' ] };
	$times //= 1;
	$number++;
	my ($sql, $next) = map { ref $_ ? $_->($number) : $_ } $case->{sql}, $case->{next} // $case->{sql};
	return <<"SQL";
SET statement_timeout = '8s';
SELECT fail_nth('$what', $n, $times, $ERRNO{$error}) \\gset _
$sql;
\\echo <first $what $error $times $n :SQLSTATE :LAST_ERROR_MESSAGE
SELECT fail_no_more();
\\echo <calls
$next;
\\echo <next :SQLSTATE :LAST_ERROR_MESSAGE
SELECT coalesce(sum(in_flight + waiting), 0) FROM xero_fdw.budget;
SELECT descriptors();
SELECT allocated();
\\echo <end
\\warn <end
SQL
}

sub run_trials
{
	my ($xero, @lines) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/trials.sql';
	PostgreSQL::Test::Utils::append_to_file($file, join('', @lines));
	my $node = $xero->node;
	my ($output, $errors) = PostgreSQL::Test::Utils::run_command([ $node->installed_command('psql'), '-XAtq',
		'-v', 'ON_ERROR_STOP=0', '-d', $node->connstr('postgres'), '-f', $file ]);
	my @errors = split /^<end$/m, $errors;
	my @trials;
	$output .= "\n";
	push @trials, { rows => $1, cause => $2, n => $3, state => $4, text => $5, calls => $6, failed => $7,
		next_rows => $8, next_state => $9, next_text => $10, taken => $11, descriptors => $12, allocated => $13,
		errors => shift @errors }
	  while $output =~ /\G(.*?)^<first (\w+ \w+ \d+) (\d+) (\w+) ?(.*?)\n(\d+) (\d+)\n<calls\n(.*?)^<next (\w+) ?(.*?)\n(\d+)\n(\d+)\n(\d+)\n<end\n/gms;
	return @trials;
}

# What is wrong with a trial; undef if nothing is.
sub fault
{
	my ($case, $reference, $trial) = @_;
	my ($state, $text) = ($trial->{state}, "$trial->{state} $trial->{text}");
	return $text if $state !~ ($case->{good} // $GOOD);
	return "without a failure: $text" if !$trial->{failed} && $state ne '00000';
	return "rows: $trial->{rows}" if $state eq '00000' && $trial->{rows} ne $reference->{rows};
	return "next: $trial->{next_state} $trial->{next_text}" if $trial->{next_state} ne '00000';
	return "in_flight + waiting: $trial->{taken}" if $trial->{taken} != 0;
	return "descriptors: $trial->{descriptors}" if $trial->{descriptors} > $reference->{descriptors};
	return $case->{check}->($trial) if $case->{check};
	return "next rows: $trial->{next_rows}" if $trial->{next_rows} ne $reference->{next_rows};
	return;
}

sub judge
{
	my ($name, $case, $reference, $expected, @trials) = @_;
	my (@faults, %outcomes);
	foreach my $trial (@trials)
	{
		my $fault = fault($case, $reference, $trial);
		push @faults, "$trial->{n}: $fault" if defined $fault;
		$outcomes{ $trial->{state} }++ if $trial->{failed};
	}
	is(scalar(@trials), $expected, "$name: sessions live");
	is(scalar(@faults), 0, "$name: statements, and the next ones") or diag(join("\n", splice(@faults, 0, 20)));
	note(join(', ', map { "$_ $outcomes{$_} times" } sort keys %outcomes));
	return;
}

# Pairs of a cause and a place: some of the places where the cause can act, the
# first and the last among them, and one more, where it does not.
sub places
{
	my ($causes, $counts) = @_;
	my @places;
	foreach my $i (0 .. $#$causes)
	{
		my $calls = $counts->[$i]{calls} or next;
		my $some = $calls < $SOME ? $calls : $SOME;
		push @places, map { [ $causes->[$i], $_ ] }
		  (map { 1 + int(($calls - 1) * $_ / max(1, $some - 1)) } 0 .. $some - 1), $calls + 1;
		note("$causes->[$i][0]: $calls calls");
	}
	return @places;
}

sub run_case
{
	my ($xero, $case, $rounds, $kind, $causes, $lines_of) = @_;
	my $began = time;
	my ($reference, @counts) = run_trials($xero, $lines_of->([ undef, 1 ], map { [ $_, $NEVER ] } @$causes));
	is(scalar(@counts), scalar(@$causes), "$case->{name}, $kind: counted") or return;
	my @idle = grep { !$counts[$_]{calls} && $causes->[$_][0] ne 'openssl' } 0 .. $#counts;
	is(join(', ', map { $causes->[$_][0] } @idle), '', "$case->{name}, $kind: all are called") if $kind eq 'new sessions';
	my @places = places($causes, \@counts);
	my @settled = ([ undef, 1 ]) x 5;
	my (undef, @trials) = run_trials($xero, $lines_of->([ undef, 1 ], (@places, @settled) x $rounds));
	foreach my $cause (@$causes)
	{
		my $expected = grep { $_->[0] == $cause } @places or next;
		my $label = "$cause->[0] $cause->[1] " . ($cause->[2] // 1);
		judge("$case->{name}, $kind, $label", $case, $reference, $rounds * $expected,
			grep { $_->{cause} eq $label } @trials);
	}
	note(sprintf('%d trials, %.1f s', scalar(@trials), time - $began));
	return map { $trials[ $_ * (@places + @settled) - 1 ] // {} } 1 .. $rounds;
}

# The server has not crashed, has found nothing that was left open, and has not
# logged "but".
sub quiet
{
	my ($xero, $but) = @_;
	my $log = PostgreSQL::Test::Utils::slurp_file($xero->node->logfile);
	my $bad = join('|', 'terminated by signal', 'PANIC:', 'TRAP:', 'WARNING: .*leak', $but // ());
	is(join("\n", $log =~ /^.*(?:$bad).*$/gm), '', 'the log');
	return;
}

# In a new session for each trial, so that each begins with nothing.  Each cause
# acts then; only OpenSSL may have all that it needs from when the server started.
sub fresh
{
	my ($xero, $case, @causes) = @_;
	run_case($xero, $case, 1, 'new sessions', \@causes, sub { map { ("\\c\n", trial($case, @$_)) } @_ });
	return;
}

# In one session, whose memory is looked at after each round.
sub lasting
{
	my ($xero, $case, @causes) = @_;
	my @ends = run_case($xero, $case, 2, 'one session', \@causes, sub { map { trial($case, @$_) } @_ });
	my ($before, $after) = map { $_->{allocated} // 0 } @ends;
	cmp_ok($after - $before, '<', $NOISE, "$case->{name}, one session: memory") or diag("$before, $after");
	return;
}

1;
