/**
 * Request targets that name nothing in a folder served at `/assets/` and at `/`, by what each kind is
 * meant to achieve. The folder holds app.js, docs/a.txt and .env; beside it lies secret.txt.
 */
export const HOSTILE_PATHS: readonly [title: string, targets: readonly string[]][] = [
  [
    'traversal by dot segments',
    [
      '/assets/../secret.txt',
      '/assets/../../secret.txt',
      '/assets/docs/../../secret.txt',
      '/assets/docs/../../../secret.txt',
      '/assets/./../secret.txt',
      '/../secret.txt',
      '/..',
      '/assets/..',
      '/assets/docs/..',
      `/assets/${'../'.repeat(50)}etc/passwd`,
      'http://test/assets/../../secret.txt',
    ],
  ],
  [
    'traversal by encoded dots',
    [
      '/assets/%2e%2e/secret.txt',
      '/assets/%2E%2E/secret.txt',
      '/assets/.%2e/secret.txt',
      '/assets/%2e./secret.txt',
      '/%2e%2e/secret.txt',
      '/assets/docs/%2e%2e/%2e%2e/secret.txt',
    ],
  ],
  [
    'traversal by encoded slashes (CVE-2021-41773)',
    [
      '/assets/..%2fsecret.txt',
      '/assets/..%2Fsecret.txt',
      '/assets/%2e%2e%2fsecret.txt',
      '/assets/docs%2f..%2f..%2fsecret.txt',
      '/assets/docs/..%2f..%2fsecret.txt',
      '/assets/.%2e/%2e%2e%2fsecret.txt',
      '/..%2fsecret.txt',
    ],
  ],
  [
    'a second way to name a file, by an encoded slash',
    ['/assets/docs%2fa.txt', '/assets/docs%2Findex.html', '/assets/docs%2f', '/docs%2fa.txt'],
  ],
  [
    'traversal by backslashes, raw and encoded',
    [
      '/assets/..\\secret.txt',
      '/assets/..%5csecret.txt',
      '/assets/..%5Csecret.txt',
      '/assets/%2e%2e%5csecret.txt',
      '/assets/docs\\..\\..\\secret.txt',
      '/assets/docs%5ca.txt',
      '/..\\secret.txt',
    ],
  ],
  [
    'traversal by encoding twice (CVE-2001-0333)',
    [
      '/assets/%252e%252e/secret.txt',
      '/assets/%252e%252e%252fsecret.txt',
      '/assets/..%252fsecret.txt',
      '/assets/..%255csecret.txt',
      '/assets/%25252e%25252e/secret.txt',
      '/assets/docs%252fa.txt',
    ],
  ],
  [
    'traversal by overlong UTF-8 (CVE-2000-0884) and other broken encodings',
    [
      '/assets/%c0%ae%c0%ae/secret.txt',
      '/assets/..%c0%afsecret.txt',
      '/assets/%e0%80%ae%e0%80%ae/secret.txt',
      '/assets/..%c1%9csecret.txt',
      '/assets/%u002e%u002e/secret.txt',
      '/assets/%ff',
      '/assets/%',
      '/assets/%2',
      '/assets/%ed%a0%80',
    ],
  ],
  [
    'traversal by characters that look like dots and slashes',
    [
      '/assets/%ef%bc%8e%ef%bc%8e/secret.txt',
      '/assets/..%ef%bc%8fsecret.txt',
      '/assets/..%e2%88%95secret.txt',
      '/assets/%e2%80%a5/secret.txt',
    ],
  ],
  [
    'traversal by what other servers strip or split (..;/, ....//, .../)',
    [
      '/assets/..;/secret.txt',
      '/assets/..;a=b/secret.txt',
      '/assets/....//secret.txt',
      '/assets/.../secret.txt',
      '/assets/..%20/secret.txt',
      '/assets/..%09/secret.txt',
    ],
  ],
  [
    'a name cut short by NUL',
    [
      '/assets/app.js%00',
      '/assets/%00',
      '/assets/app.js%00.html',
      '/assets/..%00/secret.txt',
      '/assets/%2e%2e%00/secret.txt',
      '/assets/docs%00/a.txt',
    ],
  ],
  [
    'controls in a name',
    ['/assets/app.js%0a', '/assets/app.js%0d%0aset-cookie:%20a=b', '/assets/%1b', '/assets/%7f'],
  ],
  [
    'absolute paths',
    [
      '/assets//etc/passwd',
      '/assets/%2fetc%2fpasswd',
      '//etc/passwd',
      '/assets/file:///etc/passwd',
    ],
  ],
  [
    'empty segments, by which a guard on a prefix is passed by',
    ['/assets//app.js', '//assets/app.js', '/assets/docs//a.txt', '/assets/docs//', '//'],
  ],
  [
    'drive letters, on every platform',
    ['/assets/C:/windows/win.ini', '/assets/c:', '/assets/C:secret.txt', '/assets/c%3a/x', '/C:/'],
  ],
  [
    'UNC and device paths, on every platform',
    [
      '/assets/%5c%5cserver%5cshare',
      '/assets/\\\\server\\share',
      '/assets///server/share',
      '/assets/%5c%5c?%5cC:%5c',
      '/assets/%5c%5c.%5cPhysicalDrive0',
    ],
  ],
  [
    'streams of NTFS, which show a source (CVE-1999-0278)',
    ['/assets/app.js::$DATA', '/assets/app.js:x', '/assets/docs:$i30:$index_allocation/a.txt'],
  ],
  [
    'a second way to name a file, by dots and spaces at its end',
    [
      '/assets/app.js.',
      '/assets/app.js...',
      '/assets/app.js%20',
      '/assets/app.js%2e',
      '/assets/app.js.%20.',
      '/assets/docs./a.txt',
      '/assets/docs%20/a.txt',
    ],
  ],
  [
    'devices of Windows (CVE-2025-27210)',
    [
      '/assets/con',
      '/assets/AUX',
      '/assets/nul.txt',
      '/assets/COM1',
      '/assets/lpt9.js',
      '/assets/CONIN$',
    ],
  ],
  [
    'dotfiles, however they are written',
    [
      '/assets/.env',
      '/assets/%2eenv',
      '/assets/%2Eenv',
      '/assets/.git/config',
      '/assets/%2egit/config',
      '/assets/.git%2fconfig',
      '/assets/docs/../.env',
      '/assets/.git/',
      '/assets/.git',
      '/.env',
    ],
  ],
  ['listing a folder', ['/assets/.', '/assets/docs/.', '/assets/docs/*', '/assets/docs/%2a']],
]
