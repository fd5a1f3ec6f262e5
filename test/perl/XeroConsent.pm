# Consent as a person gives it, with the sandbox's login page for a browser.
#
#   my $xero = XeroTest->new(XeroConsent::options(), ...);
#   my $back = XeroConsent::browse(XeroConsent::begin($session, 'xero'));
#   $session->rows(XeroConsent::complete('xero', $back));
#   XeroConsent::connect($session, 'xero');     # all of that
package XeroConsent;

use strict;
use warnings;

use HTTP::Tiny;
use PostgreSQL::Test::Utils;

my $keys = 0;

# For XeroTest->new: a server that waits for consent, and a key file.
sub options
{
	my (%server) = @_;
	return (
		conf => "xero_fdw.key_file = '" . new_key_file() . "'",
		server => { client_id => 'sandbox-client', %server },
		mapping => { client_secret => 'sandbox-secret' });
}

# A path where a key could be.
sub new_key_file { return PostgreSQL::Test::Utils::tempdir() . '/key' . ++$keys; }

sub begin { my ($session, $server) = @_; return $session->rows("SELECT xero_fdw.authorize_url('$server')"); }

# Where the login page sends the browser: "how" is consent=yes, consent=no ...
sub browse
{
	my ($url, $how) = @_;
	my $answer = HTTP::Tiny->new(max_redirect => 0)->get("$url&" . ($how // 'consent=yes'));
	die "the login page answered $answer->{status}: $answer->{content}" if $answer->{status} != 302;
	return $answer->{headers}{location};
}

sub complete { my ($server, $back) = @_; $back =~ s/'/''/g; return "SELECT * FROM xero_fdw.complete_authorization('$server', '$back')"; }

sub connect
{
	my ($session, $server, $how) = @_;
	return $session->rows(complete($server, browse(begin($session, $server), $how)));
}

1;
