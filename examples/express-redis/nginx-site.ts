export interface NginxSite {
  readonly port: number
  /** Of the application's processes. */
  readonly upstreams: readonly number[]
}

/**
 * What stands in nginx's `http { }`: requests go to the processes in turn, and the address that the request came from is put behind
 * whatever the caller wrote into `X-Forwarded-For`.
 */
export function nginxSite({ port, upstreams }: NginxSite): string {
  return `
  upstream app {
${upstreams.map((each) => `    server 127.0.0.1:${each} max_fails=0;`).join('\n')}
    keepalive 16;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }`
}
