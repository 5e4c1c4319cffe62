// Keeps the visitor's identity in a cookie, which the browser sends at the next visit.

const YEAR = 365 * 24 * 3600; // seconds

export default function ({ data }) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  const age = data.value ? YEAR : 0;
  document.cookie = `${data.name}=${data.value}; path=/; max-age=${age}; SameSite=Lax${secure}`;
}
