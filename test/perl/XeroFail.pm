# The nth call of a function by xero_fdw fails (test/modules/fail_nth).
#
#   my $xero = XeroTest->new(conf => XeroFail::settings(), ...);
#   XeroFail::create($xero);
#   $session->rows("SELECT fail_nth('malloc', 5, 1, 12)");   # the 5th, once, with ENOMEM
#   $session->try(...);
#   $session->rows('SELECT fail_no_more()');                 # '27 1': calls, failures
package XeroFail;

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Spec;
use PostgreSQL::Test::Utils;
use XeroTest;

my $source = File::Spec->rel2abs(dirname(__FILE__)) . '/../modules/fail_nth';
my $library;

# The module, built for this test; undef where nothing can be built.
sub library
{
	return $library if defined $library;
	my $folder = PostgreSQL::Test::Utils::tempdir();
	copy($_, $folder) or die "$_: $!" foreach glob("$source/*");
	my $pg_config = $ENV{PG_CONFIG} || 'pg_config';
	return if system("make -s -C $folder PG_CONFIG=$pg_config COPT=-Werror >$folder/make.log 2>&1") != 0;
	return $library = "$folder/fail_nth.so";
}

# For postgresql.conf; whether xero_fdw is preloaded otherwise plays no part.
sub settings { return "shared_preload_libraries = 'xero_fdw, " . library() . "'"; }

sub create
{
	my ($xero) = @_;
	my $as = "LANGUAGE c STRICT AS '" . library() . "'";
	$xero->psql(<<"SQL");
CREATE FUNCTION fail_nth(what text, nth bigint, times bigint, errno int) RETURNS void $as;
CREATE FUNCTION fail_no_more() RETURNS text $as;
CREATE FUNCTION silent_masks() RETURNS text $as;
CREATE FUNCTION allocated() RETURNS bigint $as;
SQL
	return;
}

1;
