# SPDX-License-Identifier: MIT
#
# A formula for Homebrew: the program for those who write rules, to check, import and
# try them in a sandbox. `make dist` puts version and checksum in; OWNER is whose
# releases they are.
class Watchpathd < Formula
  desc "Run actions when watched files change"
  homepage "https://github.com/OWNER/watchpathd"
  url "https://github.com/OWNER/watchpathd/releases/download/v@VERSION@/watchpathd-@VERSION@.tar.gz"
  sha256 "@SHA256@"
  license "MIT"

  depends_on "pkgconf" => :build
  depends_on "cjson"
  depends_on "expat"
  depends_on "inih"

  def install
    system "make", "all"
    bin.install "build/watchpathd"
    man5.install Dir["man/*.5"]
    man8.install Dir["man/*.8"]
    pkgshare.install "conf.d"
  end

  def caveats
    <<~EOS
      This is for writing rules. A daemon of root does not run from here, because
      what Homebrew installs belongs to a user: that takes the package.
    EOS
  end

  test do
    system bin/"watchpathd", "check", pkgshare/"conf.d"
  end
end
