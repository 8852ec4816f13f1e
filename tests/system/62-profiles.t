#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The profiles that are shipped: property lists that an MDM takes, each about what
# is really installed.
. "$(dirname "$0")/lib.sh"

profiles=$top/src/macos/profiles
job=$top/src/macos/org.watchpathd.plist

# as_xml PLIST: read by a real reader of property lists, and written by it.
as_xml() {
	if command -v plutil >/dev/null; then
		plutil -convert xml1 -o - "$1"
	else
		plistutil -i "$1" -o "$dir/binary" && plistutil -i "$dir/binary"
	fi
}

# job_string KEY: the first string after it in the launchd plist.
job_string() {
	sed -n "/<key>$1</,\$s/.*<string>\(.*\)<.*/\1/p" "$job" | head -n 1
}

# is_right FILE
is_right() {
	as_xml "$1" >"$dir/xml" 2>"$dir/wrong" &&
	    perl "$top/tests/profile.pl" "$(basename "$1" .mobileconfig)" \
	    "$(job_string Label)" "$(job_string ProgramArguments)" \
	    <"$dir/xml" >"$dir/wrong" 2>&1 && return
	diag <"$dir/wrong"
	return 1
}

# refused WHAT SED: what is made of a profile so must not pass.
refused() {
	sed "$2" "$profiles/org.watchpathd.$3.mobileconfig" \
	    >"$dir/org.watchpathd.$3.mobileconfig"
	ok "$1 is noticed" not is_right "$dir/org.watchpathd.$3.mobileconfig"
}

profiles_are_right() {
	for _profile in "$profiles"/*.mobileconfig; do
		ok "$(basename "$_profile") is a profile for a device" is_right "$_profile"
		sed 's/<!--//; s/-->//; /<key>/d; /<string>/d; /DOCTYPE/d' "$_profile" |
		    grep -e -- >"$dir/dashes"
		ok "$(basename "$_profile"): its comments are XML" [ ! -s "$dir/dashes" ]
	done
}

mistakes_are_noticed() {
	refused "another label" 's/>org\.watchpathd</>org.other</' background
	refused "another scope" 's/>System</>User</' background
	refused "another kind of rule" 's/>Label</>LabelPrefix</' background
	refused "another identifier" 's/watchpathd\.background\.items/other/' background
	refused "another program" 's/bin\/watchpathd</bin\/other</' fulldiskaccess
	refused "another service" 's/SystemPolicyAllFiles/Camera/' fulldiskaccess
	refused "a requirement that anybody fulfils" 's/ and certificate leaf\[subject.*</</' \
	    fulldiskaccess
	refused "half a file" '/<\/dict>/d' fulldiskaccess
}

# What the profile asks for is what the package signs as.
signed_as_required() {
	grep -qF "label=$(job_string Label)" "$top/src/macos/package/build.sh" &&
	    [ "$(grep -c -e '--identifier \$label' "$top/src/macos/package/build.sh")" -eq 3 ]
}

the_package_signs_as_the_profile_requires() {
	ok "the program is signed under the identifier that is required" signed_as_required
}

run_tests profiles_are_right mistakes_are_noticed the_package_signs_as_the_profile_requires
