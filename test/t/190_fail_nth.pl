# What a backend asks of the system fails once, at each of the places where it
# asks: memory, libcurl, sockets, epoll, timers.  Each statement then gives its
# rows, all of them, or an error that names the matter; nothing crashes, hangs or
# is left taken; and the next statement of the session is as if nothing had
# been.
#
# With XERO_FAIL_ALL=1 there are more statements, and every place.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);
use XeroFail;
use XeroSession;
use XeroTest;

XeroFail::library() or plan skip_all => 'the module cannot be built';

my $all = $ENV{XERO_FAIL_ALL};
my $xero = XeroTest->new(
	# answers that take their time, so that each is waited for
	sandbox => [ '--seed', 1, '--no-limits', '--latency', 3 ],
	conf => XeroFail::settings() . "\nrestart_after_crash = on",
	server => { client_id => 'sandbox-client', grant_type => 'client_credentials' },
	mapping => { client_secret => 'sandbox-secret' });
my ($node, $sandbox) = ($xero->node, $xero->sandbox);
XeroFail::create($xero);

my %ENO = (NOMEM => 12, MFILE => 24, INVAL => 22, NOSPC => 28, PIPE => 32, INTR => 4, CONNRESET => 104, CONNREFUSED => 111, NETUNREACH => 101, NONE => 0);

# What fails, and how.
my @causes = (
	[ 'malloc', 'NOMEM' ],
	[ 'palloc', 'NOMEM' ],
	[ 'openssl', 'NOMEM' ],
	[ 'curl_global_init', 'NOMEM' ],
	[ 'curl_multi_init', 'NOMEM' ],
	[ 'curl_multi_setopt', 'NOMEM' ],
	[ 'curl_easy_init', 'NOMEM' ],
	[ 'curl_easy_setopt', 'NOMEM' ],
	[ 'curl_url', 'NOMEM' ],
	[ 'curl_slist_append', 'NOMEM' ],
	[ 'curl_multi_add_handle', 'NOMEM' ],
	[ 'curl_multi_socket_action', 'NOMEM' ],
	[ 'epoll_create1', 'MFILE' ],
	[ 'epoll_ctl', 'NOSPC' ],
	[ 'epoll_wait', 'INTR' ],
	[ 'timerfd_create', 'MFILE' ],
	[ 'timerfd_settime', 'NOMEM' ],
	[ 'waitset', 'NONE' ],
	[ 'socket', 'MFILE' ],
	[ 'connect', 'CONNREFUSED' ],
	[ 'connect', 'NETUNREACH' ],
	[ 'send', 'PIPE' ],
	[ 'send', 'CONNRESET' ],
	[ 'recv', 'CONNRESET' ],
	[ 'recv', 'NONE' ]);

my $GOOD = qr/^(00000|53200|53000|08001|08006|HV00L)$/;

sub run_script
{
	my ($script) = @_;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/script.sql';
	PostgreSQL::Test::Utils::append_to_file($file, $script);
	my ($output) = PostgreSQL::Test::Utils::run_command([ $node->installed_command('psql'), '-XAtq', '-v', 'ON_ERROR_STOP=0', '-d', $node->connstr('postgres'), '-f', $file ]);
	return "$output\n";
}

# What one statement does while the nth call fails, and what the next one does.
sub trial
{
	my ($sql, $what, $errno, $n, $times) = @_;
	return <<"SQL";
SET statement_timeout = '5s';
SELECT fail_nth('$what', $n, $times, $errno) \\gset x_
$sql;
\\echo <first $n :SQLSTATE :LAST_ERROR_MESSAGE
SELECT fail_no_more();
\\echo <calls
$sql;
\\echo <second :SQLSTATE :LAST_ERROR_MESSAGE
SELECT coalesce(sum(in_flight + waiting), 0) FROM xero_fdw.budget;
SELECT count(*) FROM pg_ls_dir('/proc/self/fd');
SELECT allocated();
\\echo <end
SQL
}

sub outcomes
{
	my ($output) = @_;
	my @outcomes;
	while ($output =~ /\G(.*?)^<first (\d+) (\w+) ?(.*?)\n(\d+) (\d+)\n<calls\n(.*?)^<second (\w+) ?(.*?)\n(\d+)\n(\d+)\n(\d+)\n<end\n?/gms)
	{
		push @outcomes, { rows => $1, n => $2, state => $3, text => $4, calls => $5, failed => $6,
			next_rows => $7, next_state => $8, next_text => $9, taken => $10, descriptors => $11, allocated => $12 };
	}
	return @outcomes;
}

my %seen;
sub check
{
	my ($name, $expected, $descriptors, $wanted, @outcomes) = @_;
	my @bad;
	foreach my $one (@outcomes)
	{
		my $why =
		    $one->{state} !~ $GOOD ? "$one->{state} $one->{text}"
		  : $one->{state} eq '00000' && $one->{rows} ne $expected ? "rows: $one->{rows}"
		  : $one->{failed} == 0 && $one->{state} ne '00000' ? "without a failure: $one->{state} $one->{text}"
		  : $one->{next_state} ne '00000' ? "next: $one->{next_state} $one->{next_text}"
		  : $one->{next_rows} ne $expected ? "next rows: $one->{next_rows}"
		  : $one->{taken} != 0 ? "taken: $one->{taken}"
		  : $one->{descriptors} > $descriptors ? "descriptors: $one->{descriptors}"
		  : undef;
		$seen{$name}{"$one->{state} " . ($one->{state} eq '00000' ? '' : $one->{text})}++;
		push @bad, "$one->{n}: $why" if defined $why;
	}
	is(scalar(@outcomes), $wanted, "$name: the server lives");
	ok(!@bad, "$name: " . scalar(grep { $_->{failed} } @outcomes) . ' failures') or diag(join("\n", @bad[0 .. ($#bad < 12 ? $#bad : 12)]));
	return;
}

# In a new session for each n, so that it begins with nothing.
sub cold
{
	my ($sql, @which) = @_;
	my ($reference) = outcomes(run_script("\\c\n" . trial($sql, 'none', 0, 1, 1)));
	foreach my $cause (@which)
	{
		my ($what, $error) = @$cause;
		my ($count) = outcomes(run_script("\\c\n" . trial($sql, $what, 0, 1_000_000, 1)));
		my @n = 1 .. $count->{calls} + 1;
		my $began = time;
		my @outcomes = outcomes(run_script(join('', map { "\\c\n" . trial($sql, $what, $ENO{$error}, $_, 1) } @n)));
		check("cold, $what $error, $sql", $reference->{rows}, $reference->{descriptors}, scalar(@n), @outcomes);
		note(sprintf('%d calls, %.1f s', $count->{calls}, time - $began));
	}
	return;
}

# In one session.
sub warm
{
	my ($sql, @which) = @_;
	my ($reference) = outcomes(run_script("\\c\n" . trial($sql, 'none', 0, 1, 1)));
	foreach my $cause (@which)
	{
		my ($what, $error) = @$cause;
		my (undef, undef, $count) = outcomes(run_script("\\c\n" . trial($sql, $what, 0, 1_000_000, 1) x 3));
		next if $count->{calls} == 0;
		my @n = (1 .. $count->{calls} + 1) x 3;
		my $began = time;
		my @outcomes = outcomes(run_script(join('', "\\c\n", map { trial($sql, $what, $ENO{$error}, $_, 1) } @n)));
		check("warm, $what $error, $sql", $reference->{rows}, $reference->{descriptors}, scalar(@n), @outcomes);
		my $round = @n / 3;
		my $grown = ($outcomes[-1]{allocated} // 0) - ($outcomes[2 * $round - 1]{allocated} // 0);
		cmp_ok($grown, '<', 1000, 'memory');
		note(sprintf('%d calls, %.1f s, %s', $count->{calls}, time - $began, join(' ', map { $outcomes[$_ * $round - 1]{allocated} } 1 .. 3)));
	}
	return;
}

my $accounts = 'SELECT count(account_id), min(name) FROM xero.accounts';
cold($accounts, @causes);
warm($accounts, @causes);
foreach my $name (sort keys %seen) { diag "$name:\n", map { "    $seen{$name}{$_} x $_\n" } sort keys %{$seen{$name}}; }

done_testing();
