#!/bin/sh
# SPDX-License-Identifier: MIT
#
# sbom.sh VERSION DATE SHA256: what is linked into a Mac's program, as SPDX 2.3 in
# JSON. DATE is when the sources were committed, SHA256 that of their tarball.
# fetch-deps.sh knows the libraries, because it fetches them.
set -eu

cd "$(dirname "$0")/../.."
version=$1 date=$2 sum=$3

# package ID NAME VERSION LICENSE FILE SHA256 LOCATION: the last is where upstream is.
package() {
	cat <<-END
	    {
	      "SPDXID": "SPDXRef-$1",
	      "name": "$2",
	      "versionInfo": "$3",
	      "licenseConcluded": "$4",
	      "licenseDeclared": "$4",
	      "copyrightText": "NOASSERTION",
	      "filesAnalyzed": false,
	      "packageFileName": "$5",
	      "checksums": [{ "algorithm": "SHA256", "checksumValue": "$6" }],
	      "downloadLocation": "$7"
	END
}

relationship() {
	cat <<-END
	    {
	      "spdxElementId": "SPDXRef-$1",
	      "relationshipType": "$2",
	      "relatedSpdxElement": "SPDXRef-$3"
	END
}

libraries() {
	sh tests/macos/fetch-deps.sh --list
}

cat <<END
{
  "spdxVersion": "SPDX-2.3",
  "dataLicense": "CC0-1.0",
  "SPDXID": "SPDXRef-DOCUMENT",
  "name": "watchpathd-$version",
  "documentNamespace": "https://spdx.org/spdxdocs/watchpathd-$version-$sum",
  "creationInfo": { "created": "$date", "creators": ["Tool: watchpathd-make-dist"] },
  "packages": [
END
package watchpathd watchpathd "$version" MIT "watchpathd-$version.tar.gz" "$sum" NOASSERTION
libraries | while read -r name number license file hash location; do
	echo '    },'
	package "$name" "$name" "$number" "$license" "$file" "$hash" "$location"
done
echo '    }
  ],
  "relationships": ['
relationship DOCUMENT DESCRIBES watchpathd
libraries | while read -r name _; do
	echo '    },'
	relationship watchpathd STATIC_LINK "$name"
done
echo '    }
  ]
}'
