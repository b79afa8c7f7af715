import DefaultTheme from 'vitepress/theme-without-fonts'
// oxlint-disable-next-line import/no-unassigned-import -- styles have no name
import './site.css'

export default DefaultTheme
