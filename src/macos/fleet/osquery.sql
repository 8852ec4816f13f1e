-- SPDX-License-Identifier: MIT
--
-- What is wrong with watchpathd, one line a Mac; no row: nothing. A daemon that does
-- not run cannot say so, so that is asked of the system.
SELECT 'not running' AS problem
WHERE NOT EXISTS
	(SELECT 1 FROM processes WHERE path = '/Library/watchpathd/bin/watchpathd')
UNION
SELECT value AS problem FROM plist
WHERE path = '/Library/Preferences/org.watchpathd.health.plist'
	AND key = 'status' AND value NOT LIKE 'ok:%'
UNION
SELECT 'not checked for an hour' AS problem FROM plist
WHERE path = '/Library/Preferences/org.watchpathd.health.plist'
	AND key = 'checked' AND CAST(value AS INTEGER) < CAST(strftime('%s', 'now') AS INTEGER) - 3600;
